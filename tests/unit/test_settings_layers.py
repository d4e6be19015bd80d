"""The highest place decides; every value knows where it comes from, every mistake where it stands."""

import pytest

from voicepilot.settings import SettingsError
from voicepilot.settings.layers import command_line, environment, merged, table


def test_the_highest_place_decides_and_is_named():
    effective = merged(
        command_line({"deployment": "typed", "voice": None}),
        environment(
            {"AZURE_OPENAI_DEPLOYMENT": "exported", "AZURE_OPENAI_ENDPOINT": "r.openai.azure.com"}
        ),
        table(
            {"deployment": "kept", "voice": "cedar", "speed": 1.2}, "file /home/me/settings.toml"
        ),
    )
    assert effective.settings.deployment == "typed"
    assert effective.settings.endpoint == "https://r.openai.azure.com"
    assert effective.settings.voice == "cedar"
    assert {
        name: effective.places[name] for name in ("deployment", "endpoint", "voice", "port")
    } == {
        "deployment": "command line --deployment",
        "endpoint": "environment AZURE_OPENAI_ENDPOINT",
        "voice": "file /home/me/settings.toml",
        "port": "default",
    }


def test_our_own_variable_goes_before_the_well_known_one():
    variables = {"VOICEPILOT_TENANT": "ours", "AZURE_TENANT_ID": "theirs"}
    assert merged(environment(variables)).settings.tenant == "ours"
    variables["VOICEPILOT_TENANT"] = " "
    assert merged(environment(variables)).settings.tenant == "theirs"


def test_an_empty_option_or_line_takes_a_value_away_and_an_empty_variable_does_not():
    kept = table({"language": "de"}, "file f")
    assert merged(environment({"VOICEPILOT_LANGUAGE": ""}), kept).settings.language == "de"
    assert merged(command_line({"language": ""}), kept).settings.language == ""


def test_every_mistake_is_told_with_its_place():
    with pytest.raises(SettingsError) as refused:
        merged(
            command_line({"speed": "9"}),
            environment({"AZURE_OPENAI_ENDPOINT": "https://portal.azure.com"}),
            table({"voise": "marin", "port": "8777"}, "file f"),
        )
    assert [(error.name, error.place) for error in refused.value.errors] == [
        ("speed", "command line --speed"),
        ("endpoint", "environment AZURE_OPENAI_ENDPOINT"),
        ("voise", "file f"),
        ("port", "file f"),
    ]
    assert "environment AZURE_OPENAI_ENDPOINT: The endpoint is the Azure portal" in str(
        refused.value
    )
    assert "did you mean voice?" in str(refused.value)


def test_a_mistake_below_a_value_that_counts_is_none():
    below = environment({"AZURE_OPENAI_ENDPOINT": "https://api.openai.com"})
    above = command_line({"endpoint": "r.openai.azure.com"})
    assert merged(above, below).settings.endpoint == "https://r.openai.azure.com"
    for layers in ((below,), (below, above), (command_line({"endpoint": "gpt-4o"}), below)):
        with pytest.raises(SettingsError, match="OpenAI's own service"):
            merged(*layers)
    with pytest.raises(SettingsError, match="no place for a secret"):
        merged(above, table({"api_key": "k"}, "file f"))


def test_a_layer_says_only_what_is_asked_for():
    layer = environment({"AZURE_CLIENT_ID": "foo", "AZURE_OPENAI_ENDPOINT": "r.openai.azure.com"})
    assert merged(layer.only(("endpoint",))).settings.endpoint == "https://r.openai.azure.com"
    with pytest.raises(SettingsError, match="client_id"):
        merged(layer.only(("endpoint", "client_id")))
    assert not merged(layer.only(())).settings.endpoint


def test_a_variable_that_is_nearly_a_settings_is_told():
    with pytest.raises(SettingsError) as refused:
        merged(environment({"VOICEPILOT_VOCIE": "cedar"}))
    assert str(refused.value) == (
        "environment VOICEPILOT_VOCIE: There is no setting “vocie”; did you mean voice?"
    )


@pytest.mark.parametrize(
    "name",
    [
        *("SETTINGS", "EMULATOR_API_KEY", "CHROMIUM", "VSIX"),
        *("PAGE", "HOME", "LOG_LEVEL", "VERSION"),
    ],
)
def test_a_variable_of_another_program_is_no_mistake(name):
    assert merged(environment({f"VOICEPILOT_{name}": "x", "VOICEPILOT_VOCIE": ""})).settings


def test_a_voice_that_preview_lacks_is_refused_where_somebody_chose_it():
    preview = table({"dialect": "preview", "preview_region": "eastus2"}, "file f")
    assert merged(preview).settings.dialect == "preview"  # its default voice gives way
    assert merged(command_line({"voice": "alloy"}), preview).settings.voice == "alloy"
    with pytest.raises(SettingsError, match="command line --voice: voice marin is unknown"):
        merged(command_line({"voice": "marin"}), preview)


def test_what_is_impossible_only_together_is_refused_too():
    with pytest.raises(SettingsError, match="preview_region is needed"):
        merged(command_line({"dialect": "preview", "voice": "alloy"}))


@pytest.mark.parametrize(
    "name", ["api_key", "AZURE_OPENAI_API_KEY", "api-key", "client_secret", "token"]
)
def test_a_secret_in_a_file_is_refused_and_not_repeated(name):
    with pytest.raises(SettingsError) as refused:
        merged(table({name: "abc-not-for-you"}, "file f"))
    assert "a file is no place for a secret" in str(refused.value)
    assert "abc-not-for-you" not in str(refused.value)

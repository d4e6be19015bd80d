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

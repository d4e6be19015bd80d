"""The table is the one source: every row has a field, its limits hold, its names follow from its name."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.settings import TABLE, SettingError, Settings, setting


def test_every_row_has_a_field_with_its_default_and_the_other_way_round():
    assert {field.name: field.default for field in fields(Settings)} == {
        each.name: each.default for each in TABLE
    }
    assert Settings().values() == {each.name: each.default for each in TABLE}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_is_whole(row):
    assert row.label
    assert row.description.endswith(".")
    assert row.taken(row.default) == row.default
    if row.kind in ("number", "whole"):
        assert row.least <= row.default <= row.most
        assert row.step or row.name == "port"
    if row.kind == "choice":
        assert row.default in row.choices
    if row.pattern:
        assert row.form


def test_all_names_follow_from_the_name():
    row = setting("silence_duration_ms")
    assert row.variables == ("VOICEPILOT_SILENCE_DURATION_MS",)
    assert row.option == "--silence-duration-ms"
    assert row.editor_name == "voicepilot.silenceDurationMs"
    assert setting("endpoint").variables == ("VOICEPILOT_ENDPOINT", "AZURE_OPENAI_ENDPOINT")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("speed", 1.6, "a number from 0.25 to 1.5, not “1.6”"),
        ("speed", float("nan"), "a number from 0.25 to 1.5"),
        ("speed", True, "a number from 0.25 to 1.5"),
        ("speed", "fast", "a number from 0.25 to 1.5"),
        ("silence_duration_ms", 1.5, "a whole number from 0 to 10000 ms"),
        ("silence_duration_ms", 10_001, "a whole number from 0 to 10000 ms"),
        ("port", 65_536, "65535"),
        ("sideband", "perhaps", "true or false"),
        ("sideband", 1, "true or false"),
        ("signalling", "relais", "relay, direct, not “relais”"),
        ("signalling", ["relay"], "relay, direct"),
        ("deployment", "my deployment", "letters, digits"),
        ("deployment", "gpt-live-1", "another API"),
        ("deployment", 7, "is a text"),
        ("language", "english", "two or three letters"),
        ("client_id", "me", "00000000-0000"),
        ("instructions", "x" * 32_001, "32001 letters; 32000 are the most"),
        ("endpoint", "gpt-realtime", "name of a model"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_bounds(name, value, reason):
    with pytest.raises(SettingError) as refused:
        replace(Settings(), **{name: value})
    assert refused.value.name == name
    assert reason in refused.value.says
    assert refused.value.says.startswith(("The endpoint", name))


@pytest.mark.parametrize(
    "name", ["deployment", "tenant", "voice", "preview_region", "speed", "dialect"]
)
@pytest.mark.parametrize("key", ["0123456789abcdef0123456789abcdef!", "A1b2" * 21 + "=="])
def test_a_key_in_the_wrong_place_is_not_repeated(name, key):
    with pytest.raises(SettingError) as refused:
        setting(name).read(key)
    assert key[:8] not in str(refused.value)


@pytest.mark.parametrize("name", ["deployment", "transcription_deployment", "tenant", "voice"])
@pytest.mark.parametrize(
    "key", ["0123456789abcdef0123456789ABCDEF", "Ab1" * 20, "ek_68af296e8e408191a1120ab6383263c2"]
)
def test_a_key_that_could_be_a_name_is_refused_too(name, key):
    with pytest.raises(SettingError, match="looks like a key") as refused:
        setting(name).read(key)
    assert key[:8] not in str(refused.value)


@pytest.mark.parametrize("name", ["sk-realtime", "voice-ek-1", "gpt-realtime-2025-08-28"])
def test_a_deployment_whose_name_only_begins_like_a_key_is_taken(name):
    assert setting("deployment").read(name) == name


def test_instructions_that_give_a_key_are_refused_and_not_repeated():
    with pytest.raises(SettingError, match="seems to hold an API key") as refused:
        setting("instructions").read("Be brief.\napi-key: abcdefghijklmnopqrstuvwxyz")
    assert "abcdefgh" not in str(refused.value)


@pytest.mark.parametrize("name", ["instructions", "instructions_file", "deployment"])
def test_bytes_that_are_no_text_are_refused(name):
    with pytest.raises(SettingError, match=f"{name} holds bytes that are no UTF-8 text"):
        setting(name).read(b"caf\xe9".decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("speed", " 1.25 ", 1.25),
        ("port", "0", 0),
        ("sideband", "YES", True),
        ("sideband", "off", False),
        ("deployment", " voice ", "voice"),
        ("turn_detection", "push-to-talk", "push-to-talk"),
        ("endpoint", "R.openai.azure.com/x", "https://r.openai.azure.com"),
    ],
)
def test_words_are_read_as_what_they_mean(name, text, value):
    assert setting(name).read(text) == value


@given(
    st.sampled_from(TABLE),
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.text())),
)
def test_any_value_is_taken_as_it_then_stays_or_is_refused(row, value):
    for take in (row.taken, row.read) if isinstance(value, str) else (row.taken,):
        try:
            taken = take(value)
        except SettingError as error:
            assert error.name == row.name
        else:
            assert row.taken(taken) == taken


def test_the_preview_protocol_wants_its_region():
    with pytest.raises(SettingError, match="preview_region is needed"):
        Settings(dialect="preview")
    assert Settings(dialect="preview", preview_region="eastus2").preview_region == "eastus2"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(SettingError, match="did you mean deployment"):
        setting("deploymnet")

"""What the page's settings drawer is shown, what it may change, and what a running call is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicepilot.backend.configuration import Configuration
from voicepilot.backend.failure import Failure
from voicepilot.backend.settings_desk import IN_DRAWER, SettingsDesk
from voicepilot.bridge.messages import MessageError
from voicepilot.bridge.settings_messages import SetSetting, SettingInfo, SettingsShown
from voicepilot.settings.layers import table


@pytest.fixture
def configuration() -> Configuration:
    given = {"deployment": "voice", "transcription_deployment": "ear", "speed": 1.1}
    return Configuration((table(given, "here"),))


@pytest.fixture
def desk(configuration: Configuration) -> SettingsDesk:
    return SettingsDesk(configuration)


def info(shown: SettingsShown, name: str) -> SettingInfo:
    return next(each for each in shown.settings if each.name == name)


def test_every_setting_comes_with_its_words_limits_value_and_place(desk: SettingsDesk) -> None:
    shown = desk.shown()
    assert tuple(each.name for each in shown.settings) == IN_DRAWER
    assert shown.update is None
    speed = info(shown, "speed")
    assert (speed.value, speed.least, speed.most, speed.step) == (1.1, 0.25, 1.5, 0.05)
    assert (speed.label, speed.applies, speed.source) == ("Speed", "now", "here")
    assert info(shown, "voice").source == "default"
    assert info(shown, "silence_duration_ms").unit == "ms"
    assert SettingsShown.from_params(json.loads(json.dumps(shown.to_params()))) == shown


@pytest.mark.parametrize(
    ("name", "value", "update"),
    [
        ("voice", "cedar", None),  # the service keeps a voice that has spoken
        ("transport", "websocket", None),
        ("hold_form", "toggle", None),
        ("speed", 1.25, {"audio": {"output": {"speed": 1.25}}}),
        ("instructions", "Be brief.", {"instructions": "Be brief."}),
        ("modality", "text", {"output_modalities": ["text"]}),
        ("turn_detection", "push-to-talk", {"audio": {"input": {"turn_detection": None}}}),
        ("noise_reduction", "off", {"audio": {"input": {"noise_reduction": None}}}),
        (
            "language",
            "de",
            {"audio": {"input": {"transcription": {"model": "ear", "language": "de"}}}},
        ),
    ],
)
def test_a_change_counts_from_now_on_and_says_what_a_running_call_can_take(
    desk: SettingsDesk,
    configuration: Configuration,
    name: str,
    value: str | float,
    update: dict[str, object] | None,
) -> None:
    shown = desk.change(SetSetting(name, value))
    assert info(shown, name).value == value
    assert info(desk.shown(), name).value == value
    assert shown.update == (None if update is None else {"type": "realtime", **update})
    assert configuration.settings.values()[name] == value
    # The same value again changes nothing.
    assert desk.change(SetSetting(name, value)).update is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("silence_duration_ms", 20_000, "Silence that ends a turn is a whole number from 0 to"),
        ("silence_duration_ms", "abc", "Silence that ends a turn is a whole number from 0 to"),
        ("speed", 2.5, "Speed is a number from 0.25 to 1.5"),
        ("turn_detection", "guessing", "End of turn is one of server_vad"),
        ("language", "English", "Language is a language's code"),
        ("port", 80, "port cannot be changed in the page."),
        ("endpoint", "https://elsewhere.example", "endpoint cannot be changed in the page."),
        ("no_such", 1, "no_such cannot be changed in the page."),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    desk: SettingsDesk, name: str, value: str | float, says: str
) -> None:
    before = desk.shown()
    with pytest.raises(Failure) as refused:
        desk.change(SetSetting(name, value))
    assert refused.value.problem.code == "setting-refused"
    assert refused.value.problem.says.startswith(says)
    assert not refused.value.problem.fatal
    assert desk.shown() == before


def test_serve_keeps_changes_in_the_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('# mine\ndeployment = "voice"\n')
    desk = SettingsDesk(Configuration.read({}, {}, tmp_path, file))
    desk.change(SetSetting("silence_duration_ms", 700))
    assert file.read_text().startswith("# mine\n")
    read_again = SettingsDesk(Configuration.read({}, {}, tmp_path, file))
    assert info(read_again.shown(), "silence_duration_ms").value == 700


def test_a_file_that_cannot_be_written_refuses_the_change(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('deployment = "voice"\n')
    desk = SettingsDesk(Configuration.read({}, {}, tmp_path, file))
    file.write_text("speed = = 1")
    with pytest.raises(Failure) as refused:
        desk.change(SetSetting("speed", 1.2))
    assert "settings.toml" in refused.value.problem.says
    assert info(desk.shown(), "speed").value == 1.0


def test_the_instructions_file_stays_a_part_of_the_instructions(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("The project is called Heron.")
    given = {"deployment": "voice", "instructions_file": "notes.md"}
    desk = SettingsDesk(Configuration((table(given, "here"),), folder=tmp_path))
    update = desk.change(SetSetting("instructions", "Be brief.")).update
    assert update is not None
    assert update["instructions"] == "Be brief.\n\nThe project is called Heron."


def test_a_missing_instructions_file_stops_only_changes_of_the_instructions(tmp_path: Path) -> None:
    given = {"deployment": "voice", "instructions_file": "notes.md"}
    desk = SettingsDesk(Configuration((table(given, "here"),), folder=tmp_path))
    update = desk.change(SetSetting("speed", 1.2)).update
    assert update == {"type": "realtime", "audio": {"output": {"speed": 1.2}}}
    with pytest.raises(Failure) as refused:
        desk.change(SetSetting("instructions", "Be brief."))
    assert refused.value.problem.code == "instructions-unfit"
    assert info(desk.shown(), "instructions").value == ""


def test_instructions_too_long_for_their_file_are_not_kept_and_can_be_shortened(
    tmp_path: Path,
) -> None:
    notes, file = tmp_path / "notes.md", tmp_path / "settings.toml"
    notes.write_text("x" * 20_000)
    file.write_text('deployment = "voice"\ninstructions_file = "notes.md"\n')
    desk = SettingsDesk(Configuration.read({}, {}, tmp_path, file))
    desk.change(SetSetting("instructions", "y" * 10_000))
    with pytest.raises(Failure):
        desk.change(SetSetting("instructions", "z" * 13_000))
    assert "z" not in file.read_text()
    notes.write_text("x" * 31_000)
    update = desk.change(SetSetting("instructions", "Be brief.")).update
    assert update is not None and update["instructions"] == "Be brief.\n\n" + "x" * 31_000


@pytest.mark.parametrize("value", [None, [1], {"no": "such type"}])
def test_a_value_of_no_possible_type_is_no_message(value: object) -> None:
    with pytest.raises(MessageError):
        SetSetting.from_params({"name": "speed", "value": value})

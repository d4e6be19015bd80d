"""Every state, refusal and number has words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from voicepilot.backend.configuration import Configuration
from voicepilot.backend.settings_desk import SettingsDesk
from voicepilot.page.call_settings import meant
from voicepilot.page.refusals import microphone_problem
from voicepilot.page.views import wording
from voicepilot.protocol.problems import Problem, problem
from voicepilot.session import Phase
from voicepilot.session.conversation import Status
from voicepilot.settings.layers import table

WEBVIEW = Path(__file__).parents[2] / "webview"
PAGE = Path(wording.__file__).parents[1]


def test_every_phase_has_words_of_its_own() -> None:
    assert set(wording.STATES) == {phase.value for phase in Phase}
    names = [words.name for words in wording.STATES.values()]
    assert len(set(names)) == len(names)


def test_the_hint_tells_of_a_muted_microphone_only_in_a_call() -> None:
    assert wording.state_words("listening", muted=True).hint == wording.MUTED_HINT
    assert wording.state_words("idle", muted=True).hint != wording.MUTED_HINT


@pytest.mark.parametrize("toggles", [True, False])
def test_with_push_to_talk_no_closed_microphone_is_said_to_listen(toggles: bool) -> None:
    by_ear = wording.state_words("listening", muted=False)
    by_hand = wording.state_words("listening", muted=False, toggles=toggles)
    assert "Listening" in by_ear.name
    assert "Listening" not in by_hand.name
    assert ("Press" if toggles else "Hold") in by_hand.hint
    assert (
        wording.state_words("thinking", muted=False, toggles=toggles) == wording.STATES["thinking"]
    )
    assert wording.hold_hint(toggles=toggles, held=True, muted=False) == "The microphone is open."
    assert "closed" in wording.hold_hint(toggles=toggles, held=False, muted=False)
    assert "Unmute" in wording.hold_hint(toggles=toggles, held=False, muted=True)


def test_settings_are_written_as_people_read_them() -> None:
    shown = SettingsDesk(Configuration((table({"deployment": "voice"}, "here"),))).shown().settings
    about = {each.name: wording.about_setting(each) for each in shown}
    assert about["silence_duration_ms"].endswith("From 0 to 10000 ms.")
    assert about["speed"].endswith("From 0.25 to 1.5.")
    assert about["voice"].endswith("Counts from the next call.")
    assert [wording.setting_value(each) for each in (1.0, 0.35, 200, "en")] == [
        "1",
        "0.35",
        "200",
        "en",
    ]
    assert wording.choice("server_vad") == "By silence (server_vad)"
    assert wording.choice("marin") == "marin"
    assert wording.setting_source("default") == ""
    assert "here" in wording.setting_source("here")


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("whole", "700", 700),
        ("whole", " 700 ", 700),
        ("number", "1.25", 1.25),
        ("whole", "abc", "abc"),
        ("number", "", ""),
        ("text", "700", "700"),
    ],
)
def test_what_is_written_is_meant_by_the_kind_of_its_field(
    kind: str, written: str, value: str | float
) -> None:
    assert meant(kind, written) == value


@pytest.mark.parametrize("role", ["user", "assistant", "system", "strange", ""])
@pytest.mark.parametrize("awaited", [True, False])
def test_a_turn_is_never_without_words_or_a_name(role: str, awaited: bool) -> None:
    assert wording.speaker(role)
    assert wording.absent_words(role, awaited=awaited)


def test_only_an_unusual_end_is_remarked() -> None:
    assert wording.remark("assistant", Status.INTERRUPTED) == "Interrupted"
    assert wording.remark("assistant", Status.FAILED) == "Failed"
    assert wording.remark("assistant", Status.COMPLETED) == ""
    assert wording.remark("user", Status.IN_PROGRESS) == ""


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0, "0 ms"), (86.6, "87 ms"), (999.4, "999 ms"), (999.6, "1.00 s"), (1234, "1.23 s")],
)
def test_durations_as_people_read_them(milliseconds: float, words: str) -> None:
    assert wording.duration(milliseconds) == words


def test_loudness_is_even_in_decibels_and_stays_within_the_bar() -> None:
    assert wording.loudness(0.0) == 0.0
    assert wording.loudness(1.0) == pytest.approx(1.0)
    assert wording.loudness(0.001) == pytest.approx(0.0)
    assert wording.loudness(10 ** (-30 / 20)) == pytest.approx(0.5)
    assert wording.loudness(4.0) == 1.0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NotAllowedError", "microphone-permission"),
        ("NotFoundError", "microphone-missing"),
        ("NotReadableError", "microphone-busy"),
        ("OverconstrainedError", "microphone-missing"),
        ("SecurityError", "microphone-policy"),
        ("SomethingNewError", "internal"),
    ],
)
def test_a_refusal_of_the_browser_is_a_problem_in_words(name: str, code: str) -> None:
    found = microphone_problem(name)
    assert found.code == code
    assert found.next_step


@pytest.mark.parametrize(
    "found", [problem("python-slow", seconds=20), problem("python-failed", detail="")]
)
def test_what_is_told_without_python_is_what_the_catalogue_says(found: Problem) -> None:
    html = (WEBVIEW / "index.html").read_text(encoding="utf-8")
    notice = html.split(f'data-code="{found.code}"')[1].split("</div>")[0]
    assert found.says.strip() in notice
    assert found.next_step in notice


def test_the_loader_waits_as_long_as_it_says() -> None:
    assert "TIME_LIMIT_MS = 20_000;" in (WEBVIEW / "loader.mjs").read_text(encoding="utf-8")


def test_only_the_seam_imports_javascript() -> None:
    guilty = {
        path.name
        for path in PAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
        )
        if name and name.split(".")[0] in ("js", "pyodide", "pyodide_js")
    }
    assert guilty == {"seam.py"}

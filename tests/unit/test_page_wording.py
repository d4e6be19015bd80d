"""Every state, refusal and number has words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from voicepilot.page.refusals import microphone_problem
from voicepilot.page.views import wording
from voicepilot.protocol.problems import Problem, problem
from voicepilot.session import Phase
from voicepilot.session.conversation import Status

WEBVIEW = Path(__file__).parents[2] / "webview"
PAGE = Path(wording.__file__).parents[1]


def test_every_phase_has_words_of_its_own() -> None:
    assert set(wording.STATES) == {phase.value for phase in Phase}
    names = [words.name for words in wording.STATES.values()]
    assert len(set(names)) == len(names)


def test_the_hint_tells_of_a_muted_microphone_only_in_a_call() -> None:
    assert wording.state_hint("listening", muted=True) == wording.MUTED_HINT
    assert wording.state_hint("idle", muted=True) != wording.MUTED_HINT


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

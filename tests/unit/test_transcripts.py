"""What was said is kept as it is said: nothing that came to its end is lost, whatever ends the writer."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from voicepilot.backend.transcripts import Transcripts, kept
from voicepilot.protocol.problems import problem
from voicepilot.session import transcript_lines
from voicepilot.session.conversation import Status
from voicepilot.session.feed import Entry, decode, inputs
from voicepilot.session.scribe import Line, Scribe
from voicepilot.session.transcript import (
    MOST_OF_A_TOOL,
    Gap,
    Said,
    Transcript,
    Trouble,
    Used,
    as_json,
    markdown,
    plain_lines,
    webvtt,
)

from .event_damage import damaged_events
from .service_story import Story, answer, function_call
from .test_session_feed import LINKS, PROBLEMS, TOLD, Fed, Page
from .test_session_properties import USUAL, World

WALL = 1_800_000_000.0
PY = str(Path(__file__).parents[2] / "py")


class Told(Story):
    """A story whose inputs a scribe hears too."""

    def __init__(self) -> None:
        super().__init__()
        self.scribe = Scribe()
        self.lines: list[Line] = []
        self.page = Page()
        self.page.call = self.call
        self.page.tell = self._tell  # type: ignore[method-assign]
        self.call = Fed(self.page)  # type: ignore[assignment]

    def _tell(self, at: float, name: str, *args: Any) -> None:
        Page.tell(self.page, at, name, *args)
        entry = decode(json.loads(self.page.feed[-1]))
        self.lines += self.scribe.hear(entry, WALL + at)

    def transcript(self, number: int = 1) -> Transcript:
        lines = [line for line in self.lines if line.number == number]
        return read([transcript_lines.opening(lines[0].began), *(line.text for line in lines)])


def read(lines: list[str]) -> Transcript:
    found = transcript_lines.read(line.encode() for line in lines)
    assert found is not None
    return found


def words(transcript: Transcript) -> list[str]:
    return [f"{each.role}: {each.text}" for each in transcript.entries if isinstance(each, Said)]


def conversation() -> Told:
    story = Told()
    story.goes_live()
    story.wait(1000)
    story.user_begins("u1")
    story.wait(2000)
    story.user_ends("u1", None)
    story.answers("r1", "a1", "u1", "Eighty-four.")
    story.transcribed("u1", "What is twelve times seven?")
    return story


def test_words_that_are_written_down_late_stand_where_they_were_said() -> None:
    story = conversation()
    transcript = story.transcript()
    assert words(transcript) == ["user: What is twelve times seven?", "assistant: Eighty-four."]
    assert transcript.title == "What is twelve times seven?"
    asked, answered = transcript.entries
    assert isinstance(asked, Said)
    assert isinstance(answered, Said)
    began = transcript.began
    assert (asked.at, asked.until) == (began + 1, began + 3)
    assert answered.at == began + 3
    assert answered.until == pytest.approx(began + 3.8)
    assert transcript.ended is None
    story.wait(500)
    story.call.stop(story.now)
    assert story.transcript().ended == pytest.approx(began + 4.3)


def test_an_answer_is_cut_to_what_was_heard_also_after_it_was_written_down() -> None:
    story = conversation()
    story.answer_begins("r2", "a2", "a1")
    long = "One two three four five six seven eight nine ten eleven twelve."
    story.words("r2", "a2", long)
    story.sound_begins("r2")
    story.answer_done("r2", answer("a2", long, "completed"))
    assert words(story.transcript())[-1] == f"assistant: {long}"
    story.wait(1000)
    story.user_begins("u2")
    last = story.transcript().entries[-1]
    assert isinstance(last, Said)
    assert last.status is Status.INTERRUPTED
    assert last.text
    assert long.startswith(last.text)
    assert len(last.text) < len(long) / 2


def test_a_line_is_written_only_where_it_says_something_new() -> None:
    story = conversation()
    story.hears("conversation.item.done", item=answer("a1", "Eighty-four.", "completed"))
    texts = [line.text for line in story.lines]
    assert len(texts) == len(set(texts)) == 3  # the answer, when it had sounded, and the question


def test_a_tool_is_written_down_with_what_it_returned_in_short() -> None:
    story = conversation()
    story.hears("response.created", response={"id": "r2"})
    call = function_call("f1", "c1", "read_file", '{"name": "notes.txt"}')
    story.hears("response.output_item.added", response_id="r2", item=call)
    story.answer_done("r2", call)
    assert not [each for each in story.transcript().entries if isinstance(each, Used)]
    story.call.tool_returned(1, "c1", "Tuesday. " * 1000, story.now)
    used = story.transcript().entries[-1]
    assert isinstance(used, Used)
    assert (used.name, used.arguments) == ("read_file", '{"name": "notes.txt"}')
    assert used.output is not None
    assert len(used.output) == MOST_OF_A_TOOL


def test_what_the_person_was_told_of_problems_stands_between_the_words() -> None:
    story = conversation()
    story.wait(100)
    lost = problem("connection-lost")
    story.call.failed(1, lost, story.now)
    transcript = story.transcript()
    trouble = transcript.entries[-1]
    assert isinstance(trouble, Trouble)
    assert (trouble.code, trouble.says) == (lost.code, lost.says)
    assert transcript.ended is not None


def test_a_call_in_which_nothing_is_said_leaves_nothing() -> None:
    story = Told()
    story.goes_live()
    story.call.failed(1, problem("connection-lost"), story.now)
    assert story.lines == []


def test_each_talk_begins_a_transcript_of_its_own() -> None:
    story = conversation()
    story.call.stop(story.now)
    story.wait(60_000)
    story.goes_live()
    story.answers("r9", "a9", "root", "Hello again.")
    assert words(story.transcript(2)) == ["assistant: Hello again."]
    assert story.transcript(2).began == pytest.approx(story.transcript(1).began + 64, abs=1)
    assert len(words(story.transcript(1))) == 2


def test_a_call_that_outlives_its_writer_is_written_on_by_the_next() -> None:
    story = conversation()
    before = len(story.lines)
    story.scribe = Scribe()  # as in a backend that was started anew
    story.scribe.missed()
    story.user_begins("u2")
    story.user_ends("u2", "a1")
    story.transcribed("u2", "And twelve times eight?")
    story.answers("r2", "a2", "u2", "Ninety-six.")
    story.call.stop(story.now)
    assert len(story.lines) > before
    transcript = story.transcript()
    assert words(transcript) == [
        "user: What is twelve times seven?",
        "assistant: Eighty-four.",
        "user: And twelve times eight?",
        "assistant: Ninety-six.",
    ]
    assert [type(each) for each in transcript.entries].count(Gap) == 1
    assert transcript.ended is not None


# ---- any history


@settings(max_examples=USUAL, deadline=None)
@given(st.data())
def test_whatever_happens_the_transcript_is_the_conversation_that_was(data: st.DataObject) -> None:
    story, world = Told(), World()
    world.now = story.now
    for name, args in (
        ("talk", ()),
        ("microphone_opened", (1,)),
        ("answered", (1, "rtc")),
        ("channel_opened", (1,)),
    ):
        story._tell(story.now, name, *args)
    world.call = story.call
    for _ in range(data.draw(st.integers(5, 60), "steps")):
        world.take(data.draw(st.sampled_from(world.steps())))
    story._tell(world.now, "stop")
    if not story.lines:
        return
    told = {(each.key, each.text) for each in story.call.conversation.turns if each.full_text}
    found = story.transcript()
    written = {(each.key, each.text) for each in found.entries if isinstance(each, Said)}
    assert told <= written
    keys = [each.key for each in found.entries if isinstance(each, Said | Used)]
    assert len(keys) == len(set(keys))
    assert keys == [each.key for each in story.call.conversation.entries if each.key in keys]


@settings(max_examples=USUAL, deadline=None)
@given(st.data())
def test_no_input_with_any_event_is_too_much_for_the_scribe(data: st.DataObject) -> None:
    scribe = Scribe()
    names = st.sampled_from([*sorted(inputs()), *("receive",) * 10, "talk", "channel_opened"])
    for number in range(data.draw(st.integers(0, 30), "inputs")):
        name = data.draw(names)
        args = [data.draw(TOLD.get(kind, st.none())) for kind in inputs()[name]]
        match name:
            case "receive":
                args[1] = json.dumps(data.draw(damaged_events()))
            case "link_changed":
                args[1] = data.draw(LINKS)
            case "failed":
                args[1] = data.draw(PROBLEMS)
        if None in args:
            continue
        for line in scribe.hear(Entry(number * 0.3, name, tuple(args)), WALL + number):
            assert isinstance(json.loads(line.text), dict)
        if data.draw(st.integers(0, 20)) == 0:
            scribe.missed()


def test_a_file_cut_at_any_byte_loses_at_most_the_line_that_was_cut() -> None:
    story = conversation()
    story.answers("r2", "a2", "a1", "Grüße — “ja”. 👋")
    story.call.stop(story.now)
    lines = [transcript_lines.opening(story.lines[0].began), *(line.text for line in story.lines)]
    whole = "".join(f"{line}\n" for line in lines).encode()
    for cut in range(len(whole) + 1):
        torn = whole[:cut]
        done = torn.count(b"\n") + (
            not torn.endswith(b"\n")
            and torn[-1:] == b"}"
            and torn.split(b"\n")[-1].decode() in lines
        )
        expected = transcript_lines.read(line.encode() for line in lines[:done])
        assert transcript_lines.read(torn.splitlines(keepends=True)) == expected
        # Whoever goes on behind the cut begins a line, and what was there is still read.
        resumed = transcript_lines.read((torn + b"\n" + lines[-2].encode()).splitlines())
        assert (resumed is None) == (expected is None)


@settings(max_examples=USUAL, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_lines_are_read_or_passed_over(garbage: list[bytes]) -> None:
    head = transcript_lines.opening(WALL).encode()
    assert transcript_lines.read([head, *garbage]) is not None
    transcript_lines.read(garbage)


# ---- documents

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80) | st.sampled_from(
    [
        *(
            "# head",
            "1. one\n2. two",
            "- item",
            "    code\n\n    more",
            "```\nx\n```",
            "a\n===",
            "***",
        ),
        *("<script>alert(1)</script>", "[a](http://b)", "![a](b)", "a --> b", "00:00 --> 00:01\nx"),
        *(
            "| a |\n|---|",
            "&lt;",
            "x\n\nNOTE y",
            "\\*",
            "_a_ **b** ~~c~~",
            "> quote",
            "+ x",
            "a  \nb",
        ),
    ]
)


def flat(text: str) -> str:
    return " ".join(text.split())


def said(*texts: str) -> Transcript:
    entries = [
        Said(
            key=str(number),
            role="user",
            text=text,
            status=Status.COMPLETED,
            at=WALL + number,
            until=WALL + number + 0.5,
        )
        for number, text in enumerate(texts)
    ]
    return Transcript(WALL, tuple(entries))


@settings(max_examples=USUAL, deadline=None)
@given(TEXT)
def test_in_markdown_words_are_words_and_never_markup(text: str) -> None:
    document = markdown(said(f"x {text}"))
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(document)
    assert {token.type for token in tokens} <= {
        *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline")
    }
    inlines = [each for token in tokens[3:] for each in token.children or ()]
    assert {each.type for each in inlines} <= {
        *("text", "softbreak", "em_open", "em_close", "strong_open", "strong_close", "text_special")
    }
    shown = "".join("\n" if each.type == "softbreak" else each.content for each in inlines)
    assert re.sub(r"\s", "", f"You:x{text}") in re.sub(r"\s", "", shown)


@settings(max_examples=USUAL, deadline=None)
@given(st.lists(TEXT, max_size=4))
def test_in_webvtt_each_turn_is_one_cue_with_its_words(texts: list[str]) -> None:
    head, *cues = webvtt(said(*texts)).rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    spoken = [flat(text) for text in texts if flat(text)]
    assert len(cues) == len(spoken)
    before = ""
    for cue, text in zip(cues, spoken, strict=True):
        times, payload = cue.split("\n")
        start, end = re.fullmatch(
            r"(\d{2}:\d{2}:\d{2}\.\d{3}) --> (\d{2}:\d{2}:\d{2}\.\d{3})", times
        ).groups()  # type: ignore[union-attr]
        assert before <= start < end
        before = start
        voice, escaped = re.fullmatch(r"<v (You)>([^<>]*)", payload).groups()  # type: ignore[union-attr]
        assert voice == "You"
        assert not re.search(r"&(?!amp;|lt;|gt;)", escaped)
        unescaped = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert flat(unescaped) == text


def test_captions_count_from_the_start_of_the_call() -> None:
    story = conversation()
    assert webvtt(story.transcript()) == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:03.000\n<v You>What is twelve times seven?\n\n"
        "00:00:03.000 --> 00:00:04.000\n<v Assistant>Eighty-four.\n"
    )
    late = replace(story.transcript(), began=story.transcript().began - 7200)
    assert "02:00:01.000 --> 02:00:03.000" in webvtt(late)


def test_json_says_everything_with_times_from_the_start() -> None:
    story = conversation()
    story.call.stop(story.now)
    document = json.loads(as_json(story.transcript()))
    assert document["title"] == "What is twelve times seven?"
    assert document["began"] == "2027-01-15T08:01:40.000+00:00"
    assert document["seconds"] == pytest.approx(3.8)
    assert document["entries"][0] == {
        "kind": "said",
        "key": "u1",
        "role": "user",
        "text": "What is twelve times seven?",
        "status": "completed",
        "at": 1.0,
        "until": 3.0,
    }


def test_a_terminal_is_not_steered_by_what_was_said() -> None:
    shown = "\n".join(plain_lines(said("red \x1b[31m\x07 \x9b2J now")))
    assert shown == "You: red [31m 2J now"


# ---- files


def tell(transcripts: Transcripts, story: Told, page: str = "p") -> None:
    for text in story.page.feed:
        transcripts.heard(page, decode(json.loads(text)))


def test_a_file_is_the_persons_own_and_tells_the_call(tmp_path: Path) -> None:
    story = conversation()
    folder = tmp_path / "data" / "transcripts"
    with Transcripts(folder, clock=lambda: WALL) as transcripts:
        tell(transcripts, story)
    (found,) = kept(folder)
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    assert words(found.transcript) == words(story.transcript())


def test_the_next_backend_goes_on_in_the_file_of_a_call(tmp_path: Path) -> None:
    story = conversation()
    with Transcripts(tmp_path, clock=lambda: WALL) as transcripts:
        tell(transcripts, story)
    (file,) = tmp_path.iterdir()
    with file.open("ab") as torn:
        torn.write(b'{"kind":"said","key":"u2","ro')
    so_far = len(story.page.feed)
    story.user_begins("u2")
    story.user_ends("u2", "a1")
    story.transcribed("u2", "And twelve times eight?")
    with Transcripts(tmp_path, clock=lambda: WALL + 60) as transcripts:
        transcripts.missed("p")
        for text in story.page.feed[so_far:]:
            transcripts.heard("p", decode(json.loads(text)))
    (found,) = kept(tmp_path)
    assert words(found.transcript)[-1] == "user: And twelve times eight?"
    assert len(words(found.transcript)) == 3
    assert found.transcript.entries[-1].at == WALL + 60


def test_the_next_backend_that_hears_the_whole_call_changes_no_time_in_it(tmp_path: Path) -> None:
    story = conversation()
    with Transcripts(tmp_path, clock=lambda: WALL) as transcripts:
        tell(transcripts, story)
    (before,) = kept(tmp_path)
    with Transcripts(tmp_path, clock=lambda: WALL + 600) as transcripts:
        tell(transcripts, story)
        transcripts.heard("p", Entry(story.now, "stop", ()))
    (after,) = kept(tmp_path)
    assert after.transcript.entries == before.transcript.entries
    assert after.transcript.ended == pytest.approx(WALL + story.now - 100)


def test_what_is_not_wanted_is_not_kept(tmp_path: Path) -> None:
    with Transcripts(tmp_path, lambda: False) as transcripts:
        tell(transcripts, conversation())
    assert not list(tmp_path.iterdir())


def test_a_transcript_that_is_deleted_during_its_call_does_not_come_back(tmp_path: Path) -> None:
    story = conversation()
    with Transcripts(tmp_path) as transcripts:
        tell(transcripts, story)
        transcripts._writing.submit(lambda: None).result()
        for file in tmp_path.iterdir():
            file.unlink()
        transcripts.heard("p", Entry(story.now, "stop", ()))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_keeps_no_call_from_going_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    story = conversation()
    with Transcripts(tmp_path / "file" / "transcripts") as transcripts:
        tell(transcripts, story)
        tell(transcripts, story)
    (record,) = caplog.records
    assert "twelve" not in record.getMessage()


def test_half_a_surrogate_pair_can_be_kept(tmp_path: Path) -> None:
    story = conversation()
    story.answers("r2", "a2", "a1", "half \ud83d a pair")
    with Transcripts(tmp_path) as transcripts:
        tell(transcripts, story)
    (found,) = kept(tmp_path)
    assert words(found.transcript)[-1] == "assistant: half \ud83d a pair"


# ---- the command line


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "voicepilot.cli", "transcripts", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": PY, "XDG_DATA_HOME": str(data)},
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.skipif(sys.platform != "linux", reason="names the data folder as Linux does")
def test_transcripts_are_listed_shown_exported_and_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "voicepilot" / "transcripts"
    assert command(tmp_path, "list").stdout == f"No transcripts are kept in {folder}.\n"
    for page, later in (("p", 0.0), ("q", 3600.0)):
        with Transcripts(folder, clock=lambda later=later: WALL + later) as transcripts:  # type: ignore[misc]
            tell(transcripts, conversation(), page)
    (folder / "notes.jsonl").write_text("something else\n")
    newer, older = kept(folder)
    assert newer.transcript.began > older.transcript.began
    listed = command(tmp_path, "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [newer.id, older.id]
    assert all("What is twelve times seven?" in line for line in listed)

    shown = command(tmp_path, "show", newer.id)
    assert "You: What is twelve times seven?\nAssistant: Eighty-four.\n" in shown.stdout
    assert "The end of this call is not in it" in shown.stdout

    document = tmp_path / "call.md"
    assert command(tmp_path, "export", newer.id, "--as", "markdown", str(document)).returncode == 0
    assert "**You:** What is twelve times seven?" in document.read_text("utf-8")
    again = command(tmp_path, "export", newer.id, "--as", "json", str(document))
    assert (again.returncode, again.stderr) == (
        2,
        f"{document} exists already. Choose another name.\n",
    )
    assert command(tmp_path, "export", newer.id, "--as", "webvtt").stdout.startswith("WEBVTT\n")

    for wrong in ("../../secret", "", "nope"):
        refused = command(tmp_path, "show", wrong)
        assert refused.returncode == 2
        assert refused.stderr.startswith("There is no transcript ")
    assert "There is no form 'pdf'." in command(tmp_path, "export", newer.id, "--as", "pdf").stderr
    assert "2 transcripts begin with 20" in command(tmp_path, "delete", "20").stderr
    assert command(tmp_path, "delete").returncode == 2

    assert (
        command(tmp_path, "delete", older.id).stdout == f"The transcript {older.id} is deleted.\n"
    )
    assert [each.id for each in kept(folder)] == [newer.id]
    assert command(tmp_path, "delete", "--all").returncode == 0
    assert kept(folder) == []
    assert (folder / "notes.jsonl").exists()

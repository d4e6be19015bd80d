"""The offline mind: its skills by example, tools chosen and filled, results told, never at a loss."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicepilot.emulator.mind import Mind, Say, ToolOutcome, UseTool, numerals

NOW = datetime(2026, 11, 22, 14, 5)


def _tool(name: str, description: str, required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


LIST = _tool(
    "list_files",
    "List the files in the folder the demo was started in.",
    [],
    folder={"type": "string"},
)
READ = _tool("read_file", "Read one text file of the folder.", ["path"], path={"type": "string"})
WEATHER = _tool(
    "get_weather",
    "The current weather in a city",
    ["city"],
    city={"type": "string"},
    unit={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
TIMER = _tool(
    "setTimer",
    "Start a timer",
    ["minutes"],
    minutes={"type": "integer"},
    loud={"type": "boolean"},
)
VOLUME = _tool(
    "set-volume",
    "How loud the music is",
    ["level"],
    level={"type": ["number", "null"]},
)
SEARCH = _tool(
    "search_notes", "Search in notes", ["query"], query={"type": "string"}, tags={"type": "array"}
)
TOOLS = [LIST, READ, WEATHER, TIMER, VOLUME, SEARCH]


def answer(said: str, tools: list[Any] = TOOLS, **more: Any) -> Say | UseTool:
    return Mind().answer(said=said, tools=tools, now=NOW, **more)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("What is 12 times 7?", "12 times 7 is 84."),
        ("what is twelve times seven", "12 times 7 is 84."),
        ("What is 12 x 7?", "12 times 7 is 84."),
        ("two plus two", "2 plus 2 is 4."),
        ("What's 2 + 2?", "2 plus 2 is 4."),
        ("What\u2019s two plus two times three?", "2 plus 2 times 3 is 8."),
        ("Can you tell me what 5 minus 30 is?", "5 minus 30 is minus 25."),
        ("How much is 10 divided by 4?", "10 divided by 4 is 2.5."),
        ("10 / 3 = ?", "10 divided by 3 is about 3.3333."),
        ("0.1 plus 0.2", "0.1 plus 0.2 is 0.3."),
        ("What is one hundred and five minus 6.5?", "105 minus 6.5 is 98.5."),
        ("three point one four times two", "3.14 times 2 is 6.28."),
        ("1,000 times twenty-one thousand", "1000 times 21000 is 21000000."),
        ("What is minus three times minus four?", "Minus 3 times minus 4 is 12."),
        ("What is 5 divided by zero?", "I cannot divide by zero, and nobody else can."),
        ("999999999 times 999999999 times 9", "That is too large a number for me to say."),
        ("What time is it?", "It is 2:05 PM."),
        ("What's the time, please?", "It is 2:05 PM."),
        ("What is the date today?", "Today is Sunday, November 22, 2026."),
        ("What day is it?", "Today is Sunday, November 22, 2026."),
        ("Repeat after me, the sun is shining.", "The sun is shining."),
        ("Please say hello.", "Hello."),
        ("Repeat after me: what time is it?", "What time is it?"),
        ("Spell the word banana.", "B. A. N. A. N. A."),
        ("How do you spell cat?", "C. A. T."),
        ("Please count to five.", "1, 2, 3, 4, 5."),
        ("Count down from five.", "5, 4, 3, 2, 1."),
        ("count from 3 to 6", "3, 4, 5, 6."),
        ("Count to a million.", "I can count to one hundred at most."),
        ("Count.", "Tell me how far to count, for example: count to ten."),
        ("Thank you.", "You are welcome."),
        ("", "I did not catch that. Please say it again."),
        (" … 😀", "I did not catch that. Please say it again."),
    ],
)
def test_a_skill_answers(said: str, reply: str) -> None:
    assert answer(said) == Say(reply)


def test_counting_to_a_hundred_says_every_number() -> None:
    reply = answer("Count to 100")
    assert isinstance(reply, Say)
    assert reply.text.rstrip(".").split(", ") == [str(number) for number in range(1, 101)]


@pytest.mark.parametrize(
    ("hour", "spoken"), [(0, "12:05 AM"), (9, "9:05 AM"), (12, "12:05 PM"), (23, "11:05 PM")]
)
def test_the_time_is_told_by_the_twelve_hour_clock(hour: int, spoken: str) -> None:
    reply = Mind().answer(said="What time is it?", tools=[], now=NOW.replace(hour=hour))
    assert reply == Say(f"It is {spoken}.")


@pytest.mark.parametrize(
    ("said", "name", "arguments"),
    [
        ("List the files in this folder.", "list_files", {}),
        ("Show me the files.", "list_files", {}),
        ("List the files in the folder you were started in.", "list_files", {}),
        ("List the files in the docs folder.", "list_files", {"folder": "docs"}),
        ("List the files in the folder called docs, please.", "list_files", {"folder": "docs"}),
        ("Which files are there?", "list_files", {}),
        ("Read the file notes.txt.", "read_file", {"path": "notes.txt"}),
        ("Read the file notes dot text.", "read_file", {"path": "notes.txt"}),
        ("Read the file read me dot M D.", "read_file", {"path": "readme.md"}),
        ("Open docs slash guide dot markdown", "read_file", {"path": "docs/guide.md"}),
        ("What is in the file notes.txt?", "read_file", {"path": "notes.txt"}),
        ("Read the file license, please.", "read_file", {"path": "license"}),
        ("Please read the read me file.", "read_file", {"path": "readme"}),
        ('Read the file "my notes.txt".', "read_file", {"path": "my notes.txt"}),
        ("What is the weather like in Paris tomorrow?", "get_weather", {"city": "Paris"}),
        (
            "What's the weather in San Francisco in Fahrenheit, please?",
            "get_weather",
            {"city": "San Francisco", "unit": "fahrenheit"},
        ),
        ("Set a timer for twenty-five minutes.", "setTimer", {"minutes": 25}),
        ("Set a loud timer, 10 minutes.", "setTimer", {"minutes": 10, "loud": True}),
        ("Set the volume to minus 2.5.", "set-volume", {"level": -2.5}),
        ("Search my notes for red apples.", "search_notes", {"query": "red apples"}),
    ],
)
def test_a_declared_tool_is_called(said: str, name: str, arguments: dict[str, Any]) -> None:
    reply = answer(said)
    assert isinstance(reply, UseTool)
    assert (reply.name, json.loads(reply.arguments)) == (name, arguments)


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ("Read the file.", "path"),
        ("Read me a file.", "path"),
        ("Open this file.", "path"),
        ("Set a timer.", "minutes"),
        ("Search my notes.", "query"),
    ],
)
def test_what_is_missing_is_named(said: str, missing: str) -> None:
    reply = answer(said)
    assert isinstance(reply, Say)
    assert f"I did not hear the {missing}" in reply.text


def test_a_declared_clock_goes_before_the_own_one() -> None:
    clock = _tool("get_time", "What time it is", [])
    assert answer("What time is it?", [clock]) == UseTool("get_time", "{}")
    assert answer("Repeat after me: what time is it?", [clock]) == Say("What time is it?")


@pytest.mark.parametrize(
    "said", ["What is the capital of France?", "Tell me a story.", "from 9 to 5", "2026-11-22"]
)
def test_otherwise_it_says_what_it_understood_and_what_it_is(said: str) -> None:
    reply = answer(said)
    assert isinstance(reply, Say)
    assert said.rstrip(".") in reply.text
    assert "offline demo" in reply.text
    assert "list files" in reply.text


def test_malformed_and_foreign_tools_are_passed_over() -> None:
    odd: list[Any] = [
        {},
        {"type": "mcp", "name": "read_file", "server_label": "docs"},
        {"type": "function", "name": 7},
        {"type": "function", "name": "", "parameters": []},
        {"type": "function", "name": "read_file", "parameters": {"properties": {"path": 1}}},
    ]
    assert isinstance(answer("Set a timer for ten minutes.", odd), Say)
    assert answer("Read the file notes.txt.", odd) == UseTool("read_file", "{}")


@pytest.mark.parametrize(
    ("output", "reply"),
    [
        ('["a.txt", "b.md"]', "I found 2: a.txt, b.md."),
        ('[{"name": "a.txt", "size": 12}, {"name": "b"}]', "I found 2: a.txt, b."),
        ('{"files": ["a","b","c","d","e","f","g","h"]}', "files: a, b, c, d, e, f, and 2 more."),
        ('{"error": "There is no file x.txt."}', "That did not work: There is no file x.txt."),
        ('{"error": {"message": "Too large"}}', "That did not work: Too large."),
        ('{"content": "Buy milk."}', "Buy milk."),
        ('{"temperature": 21.5, "isWet": false}', "temperature is 21.5; is wet is no."),
        ("Buy milk\nand bread", "Buy milk and bread."),
        ("12", "12."),
        ("", "The tool read file gave nothing back."),
        ("{}", "The tool read file gave nothing back."),
        ("[" * 5000, None),
        ('{"a":' * 50 + "1" + "}" * 50, None),
    ],
)
def test_a_result_is_told(output: str, reply: str | None) -> None:
    told = answer("Read it.", outcomes=[ToolOutcome("read_file", output)])
    assert isinstance(told, Say)
    assert told.text
    assert reply is None or told.text == reply


def test_a_long_result_is_shortened_and_says_so() -> None:
    told = answer("x", outcomes=[ToolOutcome("read_file", "word " * 500)])
    assert isinstance(told, Say)
    assert len(told.text) < 400
    left = int(told.text.split("and ")[-1].split()[0])
    assert told.text.count("word") - 1 + left == 500


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("twelve", [12]),
        ("two hundred and five thousand and seven", [205007]),
        ("twenty-one and 3", [21, 3]),
        ("one two three", [1, 2, 3]),
        ("a hundred", [100]),
        ("1,200 or 2 million", [1200, 2_000_000]),
        ("nothing", []),
    ],
)
def test_numbers_are_read(text: str, numbers: list[int]) -> None:
    assert numerals.whole_numbers(text) == numbers


_WORDS = st.sampled_from(
    """
    what is read the file dot slash count to spell repeat after me plus minus times divided by zero
    one twenty hundred and point a in for weather list files - / * 7 1,000 3.5 " . ?
    """.split()  # noqa: SIM905 - a word a line would read worse
)
_SAID = st.one_of(st.text(max_size=300), st.lists(_WORDS, max_size=30).map(" ".join))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=8), inner, max_size=8)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(said=_SAID)
def test_whatever_is_said_gets_an_answer(said: str) -> None:
    reply = answer(said)
    assert reply == answer(said)
    match reply:
        case Say(text):
            assert text.strip()
        case UseTool(name, arguments):
            assert name in {tool["name"] for tool in TOOLS}
            assert isinstance(json.loads(arguments), dict)


@settings(max_examples=150, deadline=None)
@given(
    tools=st.lists(st.dictionaries(st.text(max_size=8), _JSON, max_size=4), max_size=3), said=_SAID
)
def test_whatever_is_declared_does_no_harm(tools: list[dict[str, Any]], said: str) -> None:
    assert isinstance(answer(said, tools), (Say, UseTool))


@settings(max_examples=150, deadline=None)
@given(output=st.one_of(st.text(max_size=2000), _JSON.map(json.dumps)))
def test_whatever_a_tool_gives_back_is_told(output: str) -> None:
    told = answer("Go.", outcomes=[ToolOutcome("read_file", output)])
    assert isinstance(told, Say)
    assert told.text.strip()
    assert len(told.text) < 4000


@pytest.mark.parametrize(
    "word", ["a ", "- ", "the file ", "one ", "x", "in ", '"', "hello, ", "1."]
)
def test_a_long_text_takes_no_long_time(word: str) -> None:
    begin = time.process_time()
    answer(word * 20_000)
    assert time.process_time() - begin < 1.0

"""What is typed at the console."""

import pytest

from voicepilot.debug.typing_in import History, common_start, is_whole, statements_of


@pytest.mark.parametrize(
    "source",
    [
        "",
        "1 + 1",
        "x = 1",
        "await asyncio.sleep(1)",
        "for n in range(3): print(n)",
        "def f():\n    return 1\n",
        "x = [\n  1,\n]",
        "1 +* 2",
        "return 'nowhere'",
    ],
)
def test_what_runs_at_enter(source):
    assert is_whole(source)


@pytest.mark.parametrize(
    "source", ["def f():", "for n in x:", "x = [", "'''text", "def f():\n    return 1", "f(\n1"]
)
def test_what_goes_on_at_enter(source):
    assert not is_whole(source)


def test_each_statement_runs_by_itself():
    source = "x = [\n 1,\n]\n\n@decorated\ndef f():\n    return x\nf()"
    assert [each.strip() for each in statements_of(source)] == [
        "x = [\n 1,\n]",
        "@decorated\ndef f():\n    return x",
        "f()",
    ]
    for each in statements_of(source):
        compile(each, "<console>", "single")


def test_statements_of_one_line_are_parted():
    assert statements_of("a = 1; b = 2; a") == ["a = 1\n", "b = 2\n", "a\n"]


def test_what_is_no_python_stays_as_it_is():
    assert statements_of("1 +* 2") == ["1 +* 2"]
    assert statements_of("# nothing") == []


def test_history_goes_back_and_forth_and_keeps_what_is_being_typed():
    history = History()
    for source in ("a", "b", "b", " "):
        history.add(source)
    assert history.earlier("dra") == "b"
    assert history.earlier("b") == "a"
    assert history.earlier("a") == "a"
    assert history.later("a") == "b"
    assert history.later("b") == "dra"
    assert history.later("dra") == "dra"
    assert History().earlier("typed") == "typed"


def test_common_start():
    assert common_start(["call.phase", "call.problem"]) == "call.p"
    assert common_start(["one"]) == "one"
    assert common_start(["a", "b"]) == ""

"""docs/configuration.md says of every setting what the table says, and its examples work.

Run as a program, this writes the table into the document.
"""

import re
import shlex
from pathlib import Path

import pytest

from voicepilot.backend.configuration import Configuration
from voicepilot.cli import _OPTION, _parser
from voicepilot.settings import TABLE

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "configuration.md"
MARK = (
    "<!-- from py/voicepilot/settings/table.py, by tests/unit/test_settings_documentation.py -->\n"
)
WHEN = {"now": "now", "next-call": "next call", "start": "start"}
READ = ("serve", "doctor", "config")
PLACES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]


def section():
    """The document's part that follows from the table."""
    yield "| setting | what it is | values | default | counts |"
    yield "|---|---|---|---|---|"
    for row in TABLE:
        names = [f"`{row.name}`", *(f"`{name}`" for name in row.well_known)]
        cells = "<br>".join(names), row.description, values(row), default(row), WHEN[row.applies]
        yield f"| {' | '.join(cells)} |"


def values(row):
    match row.kind:
        case "number" | "whole":
            return f"{row.least:g} to {row.most:g}" + (f" {row.unit}" if row.unit else "")
        case "flag":
            return "`true`, `false`"
    named = ", ".join(f"`{choice}`" for choice in row.choices)
    return named if row.kind == "choice" else f"text, such as {named}" if named else "text"


def default(row):
    if row.default == "":
        return "empty"
    return f"`{str(row.default).lower() if row.kind == 'flag' else row.default}`"


def test_the_document_says_what_the_table_says():
    _, mark, rest = DOCUMENT.read_text("utf-8").partition(MARK)
    assert mark, "the mark is gone"
    advice = f"run: .venv/bin/python {Path(__file__).relative_to(ROOT)}"
    assert rest == "\n" + "\n".join(section()) + "\n", advice


def blocks(language):
    """The code blocks of README and docs in a language, each with its place."""
    for document in PLACES:
        text = document.read_text("utf-8")
        for block in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            yield pytest.param(
                block[1], id=f"{document.name}:{text.count(chr(10), 0, block.start())}"
            )


@pytest.mark.parametrize("toml", list(blocks("toml")))
def test_a_settings_file_of_the_docs_can_be_used(toml, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(toml, "utf-8")
    settings = Configuration.read({}, {}, tmp_path, file).settings
    assert settings != type(settings)()


def commands():
    """Every `serve`, `doctor` and `config` of README and docs, with its options and variables."""
    for document in PLACES:
        for line in re.findall(
            rf"^(?:[A-Z_]+=\S+ )*(?:python3 )?\S*(?:voicepilot|build\.py) (?:{'|'.join(READ)})(?: .*)?$",
            document.read_text("utf-8"),
            re.MULTILINE,
        ):
            if not line.startswith(("`", "|", "-", "*")):
                yield pytest.param(line, id=f"{document.name}: {line[:60]}")


@pytest.mark.parametrize("line", list(commands()))
def test_a_command_of_the_docs_can_be_read(line, tmp_path):
    words = shlex.split(line, comments=True)
    first = next(place for place, word in enumerate(words) if word in READ)
    variables = dict(word.split("=", 1) for word in words[:first] if re.match(r"[A-Z_]+=", word))
    options = _parser().parse_args(words[first:])
    given = {row.name: getattr(options, _OPTION + row.name, None) for row in TABLE}
    file = tmp_path / "settings.toml"
    file.touch()
    Configuration.read(given, variables, tmp_path, file)


@pytest.mark.parametrize("command", READ)
def test_the_docs_show_how_it_is_started(command):
    assert any(command in line.values[0].split() for line in commands())


if __name__ == "__main__":
    before, mark, _ = DOCUMENT.read_text("utf-8").partition(MARK)
    DOCUMENT.write_text(before + mark + "\n" + "\n".join(section()) + "\n", "utf-8")

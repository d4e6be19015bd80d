"""The core is pure: the standard library, itself, and nothing that waits or looks at a clock."""

import ast
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "py" / "voicepilot"
CORE = sorted(
    module
    for part in ("protocol", "session", "bridge", "settings")
    for module in (SOURCES / part).rglob("*.py")
)
IMPURE = {"asyncio", "multiprocessing", "random", "socket", "subprocess", "threading", "time"}


def imported(module):
    """The top-level names that ``module`` imports."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "voicepilot" if node.level else (node.module or "").split(".")[0]


def test_there_is_a_core():
    assert {module.relative_to(SOURCES).parts[0] for module in CORE} == {
        "protocol",
        "session",
        "bridge",
        "settings",
    }


@pytest.mark.parametrize("module", CORE, ids=lambda module: str(module.relative_to(SOURCES)))
def test_a_core_module_imports_only_the_pure_standard_library(module):
    foreign = set(imported(module)) - {"voicepilot"} - sys.stdlib_module_names
    assert not foreign
    assert IMPURE.isdisjoint(imported(module))

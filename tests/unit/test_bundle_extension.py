"""What the extension says about itself is what is true of the rest."""

from __future__ import annotations

import json
import re

from voicepilot import __version__
from voicepilot.bundle.extension_settings import EXTENSION, written
from voicepilot.settings.table import TABLE

PACKAGE = json.loads((EXTENSION / "package.json").read_text("utf-8"))
WORDS = json.loads((EXTENSION / "package.nls.json").read_text("utf-8"))
PROPERTIES = PACKAGE["contributes"]["configuration"][0]["properties"]


def test_its_settings_are_those_of_the_table():
    # Otherwise: PYTHONPATH=py .venv/bin/python -m voicepilot.bundle.extension_settings
    assert written(PACKAGE, WORDS) == (PACKAGE, WORDS)


def test_every_default_is_one_that_the_table_takes():
    for setting in TABLE:
        found = PROPERTIES[setting.editor_name]
        assert setting.taken(found["default"]) == setting.default
        if "pattern" in found:
            assert re.match(found["pattern"], found["default"])


def test_no_workspace_decides_to_whom_tokens_go_or_which_program_runs():
    for name in ("endpoint", "credential", "tenant", "clientId", "python"):
        assert PROPERTIES[f"voicepilot.{name}"]["scope"] == "machine"


def test_its_version_is_the_version():
    assert PACKAGE["version"] == __version__
    lock = json.loads((EXTENSION / "package-lock.json").read_text("utf-8"))
    assert lock["version"] == lock["packages"][""]["version"] == __version__


def test_every_word_it_refers_to_is_there_and_none_is_idle():
    used = set(re.findall(r'"%([\w.]+)%"', json.dumps(PACKAGE)))
    assert used == set(WORDS)


def test_every_command_is_registered_and_every_registered_one_is_a_command():
    commands = {each["command"] for each in PACKAGE["contributes"]["commands"]}
    source = (EXTENSION / "src" / "voicepilot.ts").read_text("utf-8")
    assert {f"voicepilot.{name}" for name in re.findall(r'command\("(\w+)"', source)} == commands
    asked = re.findall(r'"command": "(voicepilot\.\w+)"', json.dumps(PACKAGE))
    linked = re.findall(r"command:(voicepilot\.\w+)", json.dumps(WORDS))
    assert set(asked) | set(linked) == commands

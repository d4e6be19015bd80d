"""The desk answers by the settings of now, and greets the page even where they do not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.configuration import Configuration
from voicepilot.backend.desk import Desk
from voicepilot.backend.failure import Failure
from voicepilot.backend.tools import Toolbox
from voicepilot.bridge.messages import Hello, OpenCall
from voicepilot.settings.layers import table

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing answers there


def desk_of(calls: Calls, folder: Path, **settings: object) -> tuple[Desk, Configuration]:
    values = {"endpoint": NOBODY, "deployment": "voice", **settings}
    configuration = Configuration((table(values, "the test"),), folder=folder)
    return Desk("b1", calls, configuration, Toolbox(folder)), configuration


@pytest.fixture
async def calls():
    async with Calls.at(Target(NOBODY, FixedCredentials(Credential.api_key("k")))) as calls:
        yield calls


async def test_the_greeting_names_what_is_behind_it_now(calls, tmp_path):
    desk, configuration = desk_of(calls, tmp_path, dialect="ga")
    greeting = await desk.welcome(Hello("b1"))
    assert greeting.service == "voice at 127.0.0.1:9"
    assert (greeting.dialect, greeting.signalling, greeting.build) == ("ga", "relay", "b1")
    configuration.change({"deployment": "other"})
    assert (await desk.welcome(Hello("b1"))).service == "other at 127.0.0.1:9"


async def test_the_page_of_a_preview_resource_expects_the_preview_protocol(calls, tmp_path):
    preview = {"dialect": "preview", "preview_region": "eastus2", "voice": "alloy"}
    desk, _ = desk_of(calls, tmp_path, **preview)
    assert (await desk.welcome(Hello("b1"))).dialect == "preview"


async def test_what_is_wrong_with_the_instructions_is_told_when_a_call_begins(calls, tmp_path):
    desk, _ = desk_of(calls, tmp_path, instructions_file="voice.md")
    assert (await desk.welcome(Hello("b1"))).build == "b1"
    with pytest.raises(Failure) as failed:
        await desk.open_call(OpenCall(1, "v=0\r\n"))
    assert failed.value.problem.code == "instructions-unfit"
    (tmp_path / "voice.md").write_text("Be brief.")
    with pytest.raises(Failure) as failed:
        await desk.open_call(OpenCall(2, "v=0\r\n"))
    assert failed.value.problem.code == "service-unreachable"

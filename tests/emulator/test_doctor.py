"""The doctor finds each fault of the service by itself, and leads from three mistakes to a call."""

from __future__ import annotations

import dataclasses
import json
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.emulator.test_scenarios import broken

from voicepilot.backend.configuration import Configuration
from voicepilot.backend.doctor import conversation, machine, media
from voicepilot.backend.doctor.browser import check_devices
from voicepilot.backend.doctor.examination import Examination
from voicepilot.backend.doctor.report import Finding, State, to_json, verdict
from voicepilot.emulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.emulator.client import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the doctor remembers between runs stays in the test's folder."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))


@asynccontextmanager
async def examination(
    bench: Bench, folder: Path, *, key: str | None = None, **settings: str
) -> AsyncIterator[Examination]:
    options: dict[str, str | None] = {
        "endpoint": bench.base,
        "deployment": "realtime",
        "transcription_deployment": "transcribe",
        **settings,
    }
    variables = {"AZURE_OPENAI_API_KEY": bench.api_key if key is None else key}
    async with Examination(
        lambda: Configuration.read(options, {}, folder, folder / "settings.toml"),
        tell=pytest.fail,
        browser=False,
        options={"variables": variables},
    ) as examination:
        yield examination


async def findings(
    bench: Bench, folder: Path, *, key: str | None = None, **settings: str
) -> dict[str, Finding]:
    (folder / "settings.toml").touch()
    async with examination(bench, folder, key=key, **settings) as each:
        return {finding.name: finding async for finding in each.findings()}


def states(found: dict[str, Finding]) -> dict[str, str]:
    return {name: each.state.value for name, each in found.items() if each.state is not State.OK}


def codes(found: dict[str, Finding]) -> dict[str, str]:
    return {name: each.problem.code for name, each in found.items() if each.problem is not None}


async def test_a_good_set_up_is_found_good_with_a_real_call(bench: Bench, tmp_path: Path):
    found = await findings(bench, tmp_path)
    assert states(found) == {"name": "skipped", "scope": "skipped", "devices": "skipped"}
    assert "Connected over UDP" in found["udp"].found
    assert "first sound" in found["sound"].found
    assert "transcribe writes down" in found["transcription"].found
    assert verdict(list(found.values())) == "Everything that could be tried is in order."


EXPECTED: dict[str, dict[str, str]] = {
    "mint-401": {"mint": "key-refused"},
    "mint-403-role": {"mint": "role-missing"},
    "mint-404-deployment": {"mint": "deployment-missing"},
    "mint-429": {"mint": "service-throttled"},
    "mint-503": {"mint": "service-failed"},
    "preview-only": {},
    "key-expired": {"offer": "call-key-refused"},
    "sdp-400": {"offer": "offer-refused"},
    "udp-blocked": {"udp": "udp-blocked"},
    "no-media": {"udp": "udp-blocked", "tcp": "tcp-blocked"},
    "cut-link": {"udp": "udp-blocked", "tcp": "tcp-blocked"},
    "close-channel": {"sound": "connection-lost"},
    "response-failed:rate_limit_exceeded": {
        "sound": "response-failed",
        "websocket": "response-failed",
    },
    "transcription-failed": {"transcription": "transcription-missing"},
    # Over WebSocket the configuration is a session.update, and the transcription is part of it.
    "ignore-session-update": {"transcription": "transcription-failed"},
    "silent-model": {"sound": "no-sound", "websocket": "no-answer"},
    "slow-sdp": {},
    "transcript-late": {},
    "garbage-events": {},
    "echo": {"sound": "no-sound"},
    "session-expires:60": {},
}
"""What the doctor finds under each scenario; what only makes calls slower or stranger is no finding."""


async def test_every_scenario_is_looked_at():
    assert {each.partition(":")[0] for each in EXPECTED} == set(SCENARIOS)


@pytest.mark.parametrize("scenario", EXPECTED)
async def test_each_fault_has_its_own_diagnosis(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str
):
    for name, limit in {
        "CONNECT_WITHIN_S": 2.5,
        "_TCP_WITHIN_S": 2.0,
        "_SOUND_WITHIN_S": 4.0,
    }.items():
        monkeypatch.setattr(media, name, limit)
    monkeypatch.setattr(conversation, "_ANSWER_WITHIN_S", 6.0)
    async with broken(bench, scenario):
        found = await findings(bench, tmp_path)
    assert codes(found) == EXPECTED[scenario], found


async def test_a_resource_that_knows_only_preview_is_named_so(bench: Bench, tmp_path: Path):
    async with broken(bench, "preview-only"):
        found = await findings(bench, tmp_path)
    assert "in the preview protocol" in found["mint"].found


async def test_who_wants_written_answers_is_not_asked_for_sound(bench: Bench, tmp_path: Path):
    found = await findings(bench, tmp_path, modality="text")
    assert codes(found) == {}
    assert found["sound"].state is State.SKIPPED
    assert "complete" in found["websocket"].found


async def test_only_the_way_that_is_set_decides(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(media, "CONNECT_WITHIN_S", 2.5)
    async with broken(bench, "udp-blocked"):
        by_transport = {
            transport: (await findings(bench, tmp_path, transport=transport))["udp"].state
            for transport in ("webrtc", "auto", "websocket")
        }
    assert by_transport == {"webrtc": "failed", "auto": "warning", "websocket": "warning"}


async def without_websockets(bench: Bench, request: web.Request) -> web.Response:
    """What a proxy in a company may do: everything passes but an upgrade."""
    if "Upgrade" in request.headers:
        return web.Response(status=403, text="No WebSockets here.")
    async with bench.http.request(
        request.method,
        bench.base + request.path_qs,
        headers={
            name: value
            for name, value in request.headers.items()
            if name.lower() in ("api-key", "authorization", "content-type")
        },
        data=await request.read(),
    ) as reply:
        return web.Response(
            status=reply.status,
            body=await reply.read(),
            headers={"Location": reply.headers.get("Location", "")},
        )


@pytest.mark.parametrize(("transport", "decides"), [("auto", False), ("websocket", True)])
async def test_blocked_websockets_matter_where_nothing_else_is_left(
    bench: Bench, tmp_path: Path, transport: str, decides: bool
):
    application = web.Application()
    application.router.add_route("*", "/{any:.*}", partial(without_websockets, bench))
    async with TestServer(application) as server:
        found = await findings(
            bench, tmp_path, endpoint=str(server.make_url("")), transport=transport
        )
    assert found["udp"].state is State.OK
    assert found["websocket"].state is (State.FAILED if decides else State.WARNING)
    assert found["transcription"].state is State.WARNING
    assert to_json(list(found.values()))["good"] is not decides


async def test_what_breaks_in_a_check_is_a_finding_and_the_rest_goes_on(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(machine, "urlsplit", lambda _: 1 / 0)
    found = await findings(bench, tmp_path)
    assert codes(found) == {"name": "internal"}
    assert "ZeroDivisionError" in found["name"].found
    assert found["devices"].state is State.SKIPPED


async def test_three_mistakes_are_mended_by_following_what_is_printed(bench: Bench, tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text(
        f'endpoint = "{bench.base}/openai/v1/realtime?api-version=2025-04-01-preview"\n'
        "vad_threshold = 7\n"
    )

    async def look(key: str) -> dict[str, Finding]:
        async with Examination(
            lambda: Configuration.read({}, {}, tmp_path, file),
            tell=pytest.fail,
            browser=False,
            options={"variables": {"AZURE_OPENAI_API_KEY": key}},
        ) as each:
            return {finding.name: finding async for finding in each.findings()}

    found = await look("another-key")
    assert codes(found) == {"settings": "settings-wrong"}
    assert "vad_threshold" in found["settings"].found
    assert str(file) in found["settings"].found
    file.write_text(file.read_text().replace("= 7", "= 0.5"))

    found = await look("another-key")
    assert codes(found) == {"settings": "settings-missing"}
    line = next(each for each in found["settings"].found.splitlines() if "for every start" in each)
    setting = line.partition(":")[2].partition(" in ")[0].strip()
    assert setting == 'deployment = "NAME"'
    file.write_text(f"{file.read_text()}{setting.replace('NAME', 'realtime')}\n")

    found = await look("another-key")
    assert codes(found)["mint"] == "key-refused"
    assert "Check the key" in str(found["mint"].problem)

    found = await look(bench.api_key)
    assert found["sound"].state is State.OK
    assert codes(found) == {"settings": "transcription-unset"}


async def test_the_report_has_no_secret_and_says_who_can_mend_what(bench: Bench, tmp_path: Path):
    found = await findings(bench, tmp_path, key="sk-marked-secret")
    report = json.dumps(to_json(list(found.values())))
    assert "sk-marked-secret" not in report
    assert json.loads(report)["good"] is False
    mint = next(each for each in json.loads(report)["checks"] if each["name"] == "mint")
    assert mint["problem"]["mender"] == "administrator"
    assert mint["problem"]["next_step"]
    after = [each for each in found.values() if each.follows]
    assert {each.follows for each in after} == {"mint"}
    assert [dataclasses.asdict(each)["state"] for each in after] == [State.SKIPPED] * len(after)


async def test_a_wrong_clock_is_noticed(bench: Bench, tmp_path: Path):
    (tmp_path / "settings.toml").touch()
    async with examination(bench, tmp_path) as each:
        each._clock = lambda: 0.0
        found = {finding.name: finding async for finding in each.findings()}
    assert codes(found) == {"clock": "clock-off"}
    assert found["clock"].state is State.FAILED


async def test_a_host_that_does_not_exist_ends_it_there(bench: Bench, tmp_path: Path):
    found = await findings(bench, tmp_path, endpoint="https://no-such-resource.invalid")
    assert codes(found) == {"name": "host-unknown"}
    assert found["mint"].follows == "name"


async def test_a_real_browser_is_asked_for_its_devices():
    heard = await check_devices(("--no-sandbox", "--use-fake-device-for-media-stream"))
    assert heard.state is State.OK, heard
    assert "gives sound" in heard.found

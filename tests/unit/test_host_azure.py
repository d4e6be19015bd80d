"""The backend of VS Code with the person's own resource: its settings, its account, its key."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.unit.host_process import asked, greeted, page, started
from tests.unit.recorded_azure import MINT, OFFER, OFFERS, Said, azure
from tests.unit.sign_in_service import MARK, jwt, person

from voicepilot.backend.azure.handed_token import FRESH_S, HandedToken
from voicepilot.backend.azure.token_claims import token_end
from voicepilot.backend.failure import Failure
from voicepilot.backend.host_account import HostAccount
from voicepilot.backend.host_azure import HostConfiguration
from voicepilot.backend.host_link import HostError
from voicepilot.bridge.jsonrpc import Endpoint, Refusal
from voicepilot.bridge.messages import OpenCall
from voicepilot.session.feed import Entry, encode
from voicepilot.settings import SettingsError

__all__ = ["page"]  # a fixture

KEY = "fedcba9876543210fedcba9876543210"
ALONE = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "AZURE_OPENAI_API_KEY": ""}


def settings(service, **more):
    return {"voicepilot.endpoint": service.base, "voicepilot.deployment": "voice", **more}


async def use(host, page, said, key=""):
    answer = await host.ask(
        *("host.start",),
        page=str(page),
        folders=[],
        cookie="",
        service="azure",
        settings=said,
        python="",
        key=key,
    )
    assert not isinstance(answer, Refusal), answer
    return answer.result


async def talk(host):
    """Open a page in a webview and a call in it."""
    host.tell("page.opened", page="p1", talks=True)
    endpoint = Endpoint()
    await greeted(host, "p1", endpoint)
    return await asked(host, "p1", endpoint, "call.open", **OpenCall(1, OFFER).to_params())


async def test_a_call_is_let_in_by_the_account_and_only_then_is_anybody_asked(page):
    wishes = []
    token = person()

    def answer(method, params):
        assert method == "token.get"
        wishes.append(params)
        return {"token": token if params["visible"] else ""}

    said = {"voicepilot.tenant": "contoso.example"}
    async with azure() as service, started(answer, **ALONE) as host:
        await use(host, page, settings(service, **said))
        assert not wishes
        answered = await talk(host)
        assert answered.result["call_id"], answered
        assert [wish["visible"] for wish in wishes][-1] is True
        assert all(not wish["visible"] for wish in wishes[:-1])
        assert {wish["tenant"] for wish in wishes} == {"contoso.example"}
        assert wishes[-1]["scopes"] == ["https://ai.azure.com/.default"]
        mint = next(each for each in service.posts if each.path == MINT)
        assert mint.headers["Authorization"] == f"Bearer {token}"
        assert not any(MARK in text for text in host.heard)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (None, "host-signed-out"),
        ("Cancelled", "sign-in-declined"),
        ("User did not consent to login.", "sign-in-declined"),
        ("AADSTS50020: not here", "account-not-in-tenant"),
        ("Something new", "sign-in-refused"),
    ],
)
async def test_a_sign_in_that_fails_is_told_with_what_mends_it(page, refusal, code):
    def answer(_method, _params):
        if refusal is not None:
            raise LookupError(refusal)
        return {"token": ""}

    async with azure() as service, started(answer, **ALONE) as host:
        await use(host, page, settings(service))
        answered = await host.ask("account.signIn")
        assert isinstance(answered, Refusal) and answered.data["code"] == code
        answered = await talk(host)
        assert isinstance(answered, Refusal) and answered.data["code"] == code
        assert MINT not in service.paths


async def test_signing_in_says_as_whom(page):
    async with azure() as service, started(lambda *_: {"token": person()}, **ALONE) as host:
        await use(host, page, settings(service))
        who = (await host.ask("account.signIn")).result["who"]
        assert who.startswith("ada@contoso.example of tenant ")


async def test_a_key_that_vs_code_keeps_counts_before_the_account_and_is_in_no_message(page):
    async with azure() as service, started(None, **ALONE) as host:
        await use(host, page, settings(service), key=KEY)
        assert (await host.ask("account.signIn")).result["who"] == "the API key from the host"
        assert (await talk(host)).result["call_id"]
        mint = next(each for each in service.posts if each.path == MINT)
        assert mint.headers["api-key"] == KEY
        service.says(MINT, Said(401, f'{{"error": {{"code": "401", "message": "{KEY} is bad"}}}}'))
        await host.ask("doctor.examine")
        assert not any(KEY in text for text in host.heard)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "host-unset"),
        ({"voicepilot.endpoint": "https://portal.azure.com"}, "host-settings-wrong"),
        ({"voicepilot.speed": 99}, "host-settings-wrong"),
    ],
)
async def test_settings_that_do_not_do_are_told_when_a_call_is_wanted(page, said, code):
    async with started(None, **ALONE) as host:
        await use(host, page, said)
        answered = await talk(host)
        assert isinstance(answered, Refusal) and answered.data["code"] == code
        report = (await host.ask("doctor.examine")).result
        assert not report["good"] and "settings: failed" in report["document"]


async def test_the_doctor_tells_each_finding_and_writes_them_down(page):
    async with azure() as service, started(lambda *_: {"token": person()}, **ALONE) as host:
        service.says(OFFERS, Said(403))
        await use(host, page, settings(service))
        report = (await host.ask("doctor.examine")).result
        found = [await host.next_of("doctor.finding") for _ in range(3)]
        assert [each["name"] for each in found] == ["python", "settings", "name"]
        assert report["document"].startswith("# VoicePilot's doctor")
        assert "ada@contoso.example" in report["document"]
        assert MARK not in json.dumps(report)


async def test_what_the_page_changes_vs_code_keeps(page):
    async with azure() as service, started(None, **ALONE) as host:
        await use(host, page, settings(service), key=KEY)
        host.tell("page.opened", page="p1", talks=True)
        endpoint = Endpoint()
        await greeted(host, "p1", endpoint)
        await asked(
            host, "p1", endpoint, "settings.set", name="turn_detection", value="push-to-talk"
        )
        kept = await host.next_of("settings.changed")
        assert kept == {"settings": {"voicepilot.turnDetection": "push-to-talk"}}


async def test_a_setting_is_checked_as_the_table_says(page):
    async with started() as host:
        for name, value, kept, says in (
            (
                "endpoint",
                "contoso.openai.azure.com/openai/v1",
                "https://contoso.openai.azure.com",
                "",
            ),
            ("endpoint", "https://portal.azure.com", "", "Azure portal"),
            ("deployment", "my voice", "", "deployment"),
            ("nothing", "", "", "no such setting"),
        ):
            answer = await host.ask("setting.check", name=f"voicepilot.{name}", value=value)
            assert answer.result["value"] == kept
            assert says in answer.result["says"] and bool(says) == bool(answer.result["says"])


async def test_what_was_said_is_written_down(page):
    async with azure() as service, started(None, **ALONE) as host:
        await use(host, page, settings(service), key=KEY)
        assert (await host.ask("transcript.get")).result == {"document": ""}
        host.tell("page.opened", page="p1", talks=True)
        endpoint = Endpoint()
        await greeted(host, "p1", endpoint)
        item = {"id": "i", "type": "message", "role": "user", "status": "completed"}
        words = {**item, "content": [{"type": "input_text", "text": "1. <b>Hello</b> *you*"}]}
        event = json.dumps({"type": "conversation.item.added", "event_id": "e", "item": words})
        entries = [
            Entry(1.0, "talk", ()),
            Entry(1.1, "microphone_opened", (1,)),
            Entry(1.2, "receive", (1, event)),
        ]
        await asked(
            *(host, "p1", endpoint, "call.feed"), page="a", first=1, entries=[*map(encode, entries)]
        )
        document = (await host.ask("transcript.get")).result["document"]
        assert document == "# Conversation\n\n**You:** 1\\. \\<b\\>Hello\\</b\\> \\*you\\*\n"


# ---- the account by itself


class Host:
    """Answers with these in order."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def ask(self, method, params):
        self.asked.append(params["visible"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer()
            answer = ""
        return {"token": answer}


async def test_a_token_lasts_as_long_as_it_says_and_one_that_says_nothing_a_while():
    now = 1_000_000.0
    host = Host(jwt(exp=int(now) + 3600), "opaque")
    account = HostAccount(host, clock=lambda: now)
    assert (await account(("s",), "")).expires_on == now + 3600
    assert FRESH_S < (await account(("s",), "")).expires_on - now < 3600
    for wrong in ("a.b.c", "", jwt(exp=True), jwt(exp="soon"), jwt(exp=-1)):
        assert token_end(wrong) is None


async def test_only_while_a_person_waits_may_one_be_asked():
    host = Host("", HostError("Cancelled"), "")
    account = HostAccount(host)
    tokens = HandedToken(account)
    with pytest.raises(Failure):
        await tokens.get_token("s")
    with account.awaited(), pytest.raises(Exception, match="Cancelled"):
        await tokens.get_token("s")
    with pytest.raises(Failure):
        await tokens.get_token("s")
    assert host.asked == [False, True, False]


async def test_one_who_comes_while_nobody_could_be_asked_is_asked():
    host = Host("", "t")
    account = HostAccount(host)
    arrived = account.awaited()
    host.answers[0] = arrived.__enter__  # while the silent question is under way
    assert (await account(("s",), "")).token == "t"
    assert host.asked == [False, True]


async def test_one_who_joins_a_silent_question_too_late_is_asked_all_the_same():
    account = HostAccount(Host("", "t"))
    silent = asyncio.ensure_future(account(("s",), ""))
    await asyncio.wait([silent])  # answered with nothing; who joins now gets that failure

    tries = iter((lambda: silent, lambda: account(("s",), "")))
    assert (await account.for_a_person(lambda: next(tries)())).token == "t"
    assert account._host.asked == [False, True]


async def test_a_person_who_was_asked_and_did_not_sign_in_is_not_asked_again():
    account = HostAccount(Host("", "t"))
    with pytest.raises(Failure):
        await account.for_a_person(lambda: account(("s",), ""))
    assert account._host.asked == [True]


def test_vs_codes_settings_count_before_the_environment(tmp_path):
    kept = []
    variables = {"VOICEPILOT_VOICE": "cedar", "AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com"}
    said = {"voicepilot.voice": "marin"}
    configuration = HostConfiguration(said, tmp_path, kept.append, variables)
    assert configuration.settings.voice == "marin"
    assert configuration.settings.endpoint == "https://a.openai.azure.com"
    with pytest.raises(SettingsError):
        configuration.change({"speed": 99})
    assert not kept
    configuration.change({"speed": 1.5})
    assert kept == [{"voicepilot.speed": 1.5}]
    with pytest.raises(SettingsError):
        HostConfiguration({"voicepilot.apiKey": "x"}, tmp_path, kept.append, {})


async def test_nobody_waits_any_more_when_what_was_waited_for_failed():
    account = HostAccount(Host("t"))
    with pytest.raises(asyncio.CancelledError), account.awaited():
        raise asyncio.CancelledError
    await account(("s",), "")
    assert account._host.asked == [False]

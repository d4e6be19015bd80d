"""Are the requests that really leave what the service takes? Field by field, as they arrive at a server.

The facts and their numbers are those of sections 1.1 to 1.5 of the reference (Microsoft's how-to of
2026-01-29, its legacy page of 2025-06-07, recordings of the service of 2026-07); the session's fields are
judged by the types of the `openai` package, and the whole request by its client.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import openai
import pytest
from openai.types.beta.realtime.session_update_event import Session as PreviewSession
from openai.types.realtime import RealtimeSessionCreateRequest
from tests.emulator.contract import unknown_fields

from voicepilot.protocol.dialects import PREVIEW_SESSION_FIELDS
from voicepilot.protocol.session_config import FunctionTool, SemanticVad, ServerVad, SessionConfig

from .recorded_azure import (
    CALL_ID,
    HANGUP,
    KEY,
    MINT,
    OFFER,
    OFFERS,
    PREVIEW_MINT,
    PREVIEW_OFFERS,
    SESSION,
    TOKEN,
    Azure,
    Seen,
    azure,
    calls_at,
    key_credentials,
    minted_preview,
    token_credentials,
)

TOOL = FunctionTool(
    name="look",
    description="Look at a file.",
    parameters={"type": "object", "properties": {"path": {"type": "string"}}},
)
FULL = SessionConfig(
    model="my-deployment",
    instructions="Réponds brièvement, sans « Markdown ».",
    voice="marin",
    speed=1.25,
    transcription_model="my-transcriber",
    transcription_language="fr",
    noise_reduction="far_field",
    turn_detection=ServerVad(threshold=0.6, prefix_padding_ms=250, silence_duration_ms=700),
    tools=(TOOL,),
)
SESSIONS = {
    "full": FULL,
    "least": SessionConfig(model="my-deployment"),
    "meaning": replace(FULL, turn_detection=SemanticVad(eagerness="low")),
    "push-to-talk": replace(FULL, turn_detection=None),
    "text": replace(FULL, output_modality="text", tools=()),
    "idle": replace(FULL, turn_detection=ServerVad(idle_timeout_ms=6000)),
}

ORDINARY = {"Host", "Accept", "Accept-Encoding", "User-Agent", "Content-Length", "Content-Type"}
"""What HTTP itself has; nothing that a preflight or the service's limit of ten would mind."""


def headers_of(request: Seen) -> dict[str, str]:
    """All but the ordinary ones."""
    return {name: value for name, value in request.headers.items() if name not in ORDINARY}


async def sent(service: Azure, session: SessionConfig = SESSION, **target: Any) -> list[Seen]:
    """The requests of one call, from Talk to its end."""
    service.seen.clear()
    async with calls_at(service.target(**target)) as calls:
        opened = await calls.open(session, OFFER)
        await calls.hang_up(opened.call_id)
    return list(service.seen)


# ---- 1.1: the key


async def test_1_1_a_key_is_minted_with_the_standing_credential_and_no_version() -> None:
    async with azure() as service:
        mint, *_ = await sent(service, FULL)
        assert (mint.method, mint.path, mint.query) == ("POST", MINT, "")
        assert headers_of(mint) == {"api-key": KEY}
        assert mint.headers["Content-Type"] == "application/json"

        mint, *_ = await sent(service, FULL, credentials=token_credentials())
        assert headers_of(mint) == {"Authorization": f"Bearer {TOKEN}"}


async def test_1_1_the_whole_configuration_goes_into_it() -> None:
    async with azure() as service:
        mint, *_ = await sent(service, FULL)
        assert mint.json() == {
            "session": {
                "type": "realtime",
                "model": "my-deployment",
                "instructions": "Réponds brièvement, sans « Markdown ».",
                "output_modalities": ["audio"],
                "audio": {
                    "input": {
                        "transcription": {"model": "my-transcriber", "language": "fr"},
                        "noise_reduction": {"type": "far_field"},
                        "turn_detection": {
                            "type": "server_vad",
                            "threshold": 0.6,
                            "prefix_padding_ms": 250,
                            "silence_duration_ms": 700,
                            "create_response": True,
                            "interrupt_response": True,
                        },
                    },
                    "output": {"voice": "marin", "speed": 1.25},
                },
                "tools": [
                    {
                        "type": "function",
                        "name": "look",
                        "description": "Look at a file.",
                        "parameters": {
                            "type": "object",
                            "properties": {"path": {"type": "string"}},
                        },
                    }
                ],
                "tool_choice": "auto",
            }
        }


async def test_1_1_what_is_off_is_sent_as_null_and_not_left_out() -> None:
    async with azure() as service:
        mint, *_ = await sent(service, SESSIONS["push-to-talk"])
        assert mint.json()["session"]["audio"]["input"]["turn_detection"] is None
        mint, *_ = await sent(service, SESSIONS["least"])
        audio_in = mint.json()["session"]["audio"]["input"]
        assert (audio_in["noise_reduction"], audio_in["transcription"]) == (None, None)


@pytest.mark.parametrize("name", SESSIONS)
async def test_1_1_the_session_is_one_of_the_packages(name: str) -> None:
    async with azure() as service:
        mint, *_ = await sent(service, SESSIONS[name])
        parsed = RealtimeSessionCreateRequest.model_validate(mint.json()["session"], strict=True)
        assert unknown_fields(parsed) == []


async def _token() -> str:
    return TOKEN


async def test_1_1_the_packages_client_sends_the_same() -> None:
    async with azure() as service:
        ours, *_ = await sent(service, FULL, credentials=token_credentials())
        # A token provider as azure-identity makes it.
        package = openai.AsyncOpenAI(base_url=f"{service.base}/openai/v1", api_key=_token)
        async with package:
            secret = await package.realtime.client_secrets.create(session=FULL.to_json())
        theirs = service.seen[-1]
        assert secret.value == "ek_1"
        assert (theirs.method, theirs.path, theirs.query) == (ours.method, ours.path, ours.query)
        assert theirs.json() == ours.json()
        for header in ("Authorization", "Content-Type"):
            assert theirs.headers[header] == ours.headers[header]


# ---- 1.2: the offer


async def test_1_2_the_raw_offer_goes_with_the_key_alone() -> None:
    async with azure() as service:
        for credentials in (key_credentials(), token_credentials()):
            _, offer, _ = await sent(service, FULL, credentials=credentials)
            assert (offer.method, offer.path) == ("POST", OFFERS)
            assert offer.query == ""  # no model, and all events: no webrtcfilter
            assert headers_of(offer) == {"Authorization": "Bearer ek_1"}
            assert offer.headers["Content-Type"] == "application/sdp"
            assert offer.body == OFFER


async def test_1_2_nothing_that_a_call_sends_has_more_headers_than_the_service_takes() -> None:
    async with azure() as service:
        for request in await sent(service, FULL):
            assert len(request.headers) <= 10
            assert not {"OpenAI-Beta", "Cookie", "Origin"} & set(request.headers)


# ---- 1.4: the end


async def test_1_4_a_call_is_hung_up_with_the_standing_credential() -> None:
    async with azure() as service:
        *_, hangup = await sent(service, FULL, credentials=token_credentials())
        assert (hangup.method, hangup.path, hangup.query) == ("POST", HANGUP, "")
        assert hangup.path.endswith(f"{CALL_ID}/hangup")
        assert headers_of(hangup) == {"Authorization": f"Bearer {TOKEN}"}
        assert hangup.body == ""


# ---- 1.5: the preview protocol


async def preview_requests(service: Azure, session: SessionConfig = FULL) -> tuple[Seen, Seen]:
    service.says(PREVIEW_MINT, minted_preview())
    service.says(PREVIEW_OFFERS, *service.answers[OFFERS])
    mint, offer = await sent(service, session, dialect="preview", region="eastus2")
    return mint, offer


async def test_1_5_a_preview_key_is_minted_flat_and_with_a_version() -> None:
    async with azure() as service:
        mint, _ = await preview_requests(service)
        assert (mint.method, mint.path) == ("POST", PREVIEW_MINT)
        assert mint.query == "api-version=2025-04-01-preview"
        assert headers_of(mint) == {"api-key": KEY}
        assert mint.json() == {
            "model": "my-deployment",
            "instructions": "Réponds brièvement, sans « Markdown ».",
            "modalities": ["audio", "text"],
            "input_audio_transcription": {"model": "my-transcriber", "language": "fr"},
            "input_audio_noise_reduction": {"type": "far_field"},
            "turn_detection": FULL.to_json()["audio"]["input"]["turn_detection"],
            "voice": "verse",  # marin came with GA
            "speed": 1.25,
            "tools": [TOOL.to_json()],
            "tool_choice": "auto",
        }


@pytest.mark.parametrize("name", SESSIONS)
async def test_1_5_the_session_is_one_of_the_packages_older_types(name: str) -> None:
    async with azure() as service:
        mint, _ = await preview_requests(service, SESSIONS[name])
        session = mint.json()
        assert session.pop("model") == "my-deployment"  # a literal there, a deployment here
        assert unknown_fields(PreviewSession.model_validate(session, strict=True)) == []
        ours = {"instructions", "tools", "tool_choice"}
        assert set(session) <= PREVIEW_SESSION_FIELDS | ours


async def test_1_5_the_offer_names_the_deployment() -> None:
    async with azure() as service:
        _, offer = await preview_requests(service, replace(FULL, model="my deployment&1"))
        assert (offer.method, offer.path) == ("POST", PREVIEW_OFFERS)
        assert offer.query == "model=my%20deployment%261"
        assert headers_of(offer) == {"Authorization": "Bearer ek_p"}
        assert offer.headers["Content-Type"] == "application/sdp"
        assert offer.body == OFFER

"""Why is the first call not slower than the second?

After the start no line of the call's path has run yet: the browser has compiled nothing of what it needs of
the interpreter, and the interpreter has specialised none of our functions. So a short call is played to the
core twice: at build time, often, so that the page is born with specialised functions in its memory
(`bundle/remember.mjs`), and in the page while nobody waits, for the browser's part. It touches nothing of
the page.
"""

from __future__ import annotations

import json
from typing import Any, Final

from voicepilot.bridge import messages
from voicepilot.bridge.jsonrpc import Endpoint
from voicepilot.session import Call

_SDP: Final = "v=0\r\n"


def rehearse(times: int = 2) -> Call:
    """Play a short call so often; returns the last of them, which has ended. Takes some milliseconds."""
    call = Call()
    for _ in range(times):
        _open(Endpoint())
        call = Call()
        call.talk(0.0)
        call.microphone_opened(1, 0.1)
        call.answered(1, "rehearsal", 0.2)
        call.channel_opened(1, 0.3)
        for event in _EVENTS:
            call.receive(1, json.dumps(event), 1.0)
            call.next_deadline()
        call.stop(2.0)
    return call


def _open(endpoint: Endpoint) -> None:
    offer = messages.OpenCall(1, _SDP).to_params()
    number, _ = endpoint.request(messages.CALL_OPEN, offer)
    opened = messages.CallOpened(_SDP, "rehearsal", None, "ga").to_params()
    endpoint.receive(json.dumps({"jsonrpc": "2.0", "id": number, "result": opened}))
    messages.CallOpened.from_params(opened)


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


_ITEM: Final = {"id": "i", "type": "message", "role": "assistant", "status": "in_progress"}
_EVENTS: Final = (
    _event("session.created", session={"id": "s", "model": "m", "audio": {}}),
    _event("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0),
    _event("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=1),
    _event("input_audio_buffer.committed", item_id="u", previous_item_id=None),
    _event("response.created", response={"id": "r", "status": "in_progress"}),
    _event("response.output_item.added", response_id="r", item=_ITEM),
    _event("output_audio_buffer.started", response_id="r"),
    *(
        _event(
            "response.output_audio_transcript.delta",
            response_id="r",
            item_id="i",
            content_index=0,
            delta="word ",
        )
        for _ in range(10)
    ),
    _event("response.done", response={"id": "r", "status": "completed", "output": []}),
    _event("output_audio_buffer.stopped", response_id="r"),
)

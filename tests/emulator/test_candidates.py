"""Which addresses are told, and which are not listened to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicepilot.emulator.candidates import as_the_service_answers, without_hidden

if TYPE_CHECKING:
    from tests.emulator.client import Bench

HIDDEN = (
    "a=candidate:1 1 udp 2113937151 3a1f7f0c-4a3c-4f5a-8d7e-0d7b1c2f9d10.local 50000 typ host "
    "generation 0\r\n"
)
PLAIN = "a=candidate:2 1 udp 2113937151 192.0.2.7 50001 typ host generation 0\r\n"
END = "a=end-of-candidates\r\n"


def test_hidden_addresses_and_the_end_mark_are_dropped_and_nothing_else() -> None:
    assert without_hidden(f"v=0\r\n{HIDDEN}{PLAIN}{END}a=mid:0\r\n") == f"v=0\r\n{PLAIN}a=mid:0\r\n"


def test_the_answer_gets_opus_parameters_and_tcp_once() -> None:
    answer = f"m=audio\r\na=rtpmap:111 opus/48000/2\r\n{PLAIN}{END}m=application\r\n{PLAIN}{END}"
    shaped = as_the_service_answers(answer, [("127.0.0.1", 4000)])
    assert "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n" in shaped
    assert shaped.count("127.0.0.1 4000 typ host tcptype passive\r\n") == 1
    assert shaped.index("tcptype") < shaped.index("m=application")
    assert as_the_service_answers(shaped, []) == shaped


@pytest.mark.asyncio(loop_scope="session")
async def test_hidden_addresses_are_never_looked_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups: list[object] = []

    async def look_up(subscriber: object) -> None:
        lookups.append(subscriber)
        raise OSError("a second of waiting")

    monkeypatch.setattr("aioice.ice.get_or_create_mdns_protocol", look_up)

    def hide(offer: str) -> str:
        lines = offer.split("\r\n")
        kept = [line for line in lines if not line.startswith("a=candidate:")]
        return "\r\n".join(kept).replace(END, HIDDEN + END)

    client = await bench.call(edit_offer=hide)
    assert lookups == []
    await client.close()

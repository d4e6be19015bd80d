"""How does sound get to a client that has no track?

As ``response.output_audio.delta`` events, several times faster than it sounds; when the client plays it,
and how much of it the person hears, is the client's business. So nothing counts as playing here, and
an interruption cuts nothing short: the client stops its own playback and tells what was heard with
``conversation.item.truncate``.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

import numpy as np

from voicepilot.emulator import events
from voicepilot.emulator.reply import Reply
from voicepilot.emulator.speech import OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SPEED = 4.0
"""How many seconds of sound are sent in one second."""

_AT_ONCE_S = 1.0
_LONGEST_DELTA = OUTPUT_RATE // 5


class Delivery:
    """The outlet of a session over WebSocket. ``announce`` takes the events."""

    def __init__(self, announce: Callable[[events.Event], None]) -> None:
        self._announce = announce
        self._stopped = False

    def open(self, response_id: str, item_id: str) -> Reply:
        """See :class:`~.reply.Outlet`."""
        return Reply(response_id, item_id)

    def feed(self, reply: Reply, samples: NDArray[np.int16]) -> None:
        """See :class:`~.reply.Outlet`: it goes out when the response waits for more."""
        reply.feed(samples)

    async def ready(self, reply: Reply) -> None:
        """Send what there is of the reply, at its pace."""
        loop = asyncio.get_running_loop()
        if not reply.started:
            reply.started = True
            reply.began_at = loop.time()
        while reply.waiting and not self._stopped:
            piece = np.empty(min(reply.waiting, _LONGEST_DELTA), "<i2")
            reply.take(piece)
            delta = base64.b64encode(piece.tobytes()).decode()
            self._announce(events.output_audio_delta(reply.response_id, reply.item_id, delta))
            ahead = reply.played_ms / 1000 - _AT_ONCE_S
            await asyncio.sleep(max(0.0, reply.began_at + ahead / SPEED - loop.time()))

    @property
    def playing(self) -> bool:
        """Never known here."""
        return False

    def clear(self) -> list[Reply]:
        """Nothing waits here but what its response is still sending."""
        return []

    def stop(self) -> None:
        """See :class:`~.reply.Outlet`."""
        self._stopped = True

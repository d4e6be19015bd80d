"""What belongs to one attempt to call, and what does it hear?

An attempt is what one press of Talk began. It holds the microphone, the peer and the statistics of that
call in a scope of its own, and passes on what they report, with its number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVarTuple

from voicepilot.page.devices import Microphones
from voicepilot.page.link_statistics import LinkStatistics, Sampler
from voicepilot.page.microphone import Microphone
from voicepilot.page.scope import Scope
from voicepilot.page.sound import Hear, Level
from voicepilot.session import Call, Command

if TYPE_CHECKING:
    from voicepilot.bridge.call_socket import SocketOpened
    from voicepilot.page.call_socket import CallSocket
    from voicepilot.page.peer import Peer
    from voicepilot.page.seam import MediaStreamTrack
    from voicepilot.protocol.problems import Problem

Told = TypeVarTuple("Told")
"""What an input of the core carries beside the time."""

SILENT_SECONDS: Final = 3.0
"""A microphone that delivers exact zeros for so long is worth a word: real ones have noise."""


class AttemptOwner(Protocol):
    """Who an attempt reports to."""

    @property
    def call(self) -> Call:
        """The core."""

    @property
    def now(self) -> float:
        """The page's monotonic clock, in seconds."""

    def report(self, tell: Callable[[Call, *Told, float], list[Command]], *told: *Told) -> None:
        """Tell the core something, by this method of `Call`, and carry out what it answers."""

    def received(self, number: int, text: str) -> None:
        """An event came for attempt `number`."""

    def play(self, scope: Scope, track: MediaStreamTrack, hear: Hear) -> None:
        """Let a reply's track sound."""

    def wire_settled(self) -> None:
        """There is a connection, or there will be none."""

    def meter_user(self, scope: Scope, microphone: Microphone, hear: Hear) -> None:
        """Tell how loud the microphone is, until `scope` ends."""

    def user_level(self, level: Level, *, silent: bool) -> None:
        """How loud the microphone is; `silent` when it is so still that it may not work."""

    def reply_level(self, level: Level) -> None:
        """How loud the assistant is."""

    def begin_next_with(self, transport: str) -> None:
        """Later calls shall begin over this transport (`session.transport`)."""

    def changed(self) -> None:
        """Something of the attempt changed that is drawn."""


class Attempt:
    """What one attempt holds, and what it hears from its wire: a peer (`peer.PeerOwner`) or a socket
    (`call_socket.SocketOwner`). `wire_scope` closes the wire; a socket takes the place of a peer.

    Sound and meters begin once the wire is open: until then nothing can be heard, and making them would
    hold up the call.
    """

    def __init__(self, number: int, scope: Scope, owner: AttemptOwner) -> None:
        self.number = number
        self.scope = scope
        self.wire: Peer | CallSocket | None = None
        self.wire_scope = scope.nest("wire")
        self.microphone: Microphone | None = None
        self.microphone_lost = False
        self.microphones_then = Microphones()
        self.link_state = "new"
        self.statistics = LinkStatistics()
        self._owner = owner
        self._microphone_scope: Scope | None = None
        self._open_since = 0.0
        self._sending = True
        self._sampler = Sampler()
        self._open = False
        self._reply: MediaStreamTrack | None = None

    def hold(self, microphone: Microphone, scope: Scope, listed: Microphones, now: float) -> None:
        """Use this microphone from now on and give back the one before."""
        before, self._microphone_scope = self._microphone_scope, scope
        self.microphone, self.microphone_lost = microphone, False
        self.microphones_then, self._open_since = listed, now
        if before is not None:
            before.end()
        if self._open:
            self._meter_user()

    def change_wire(self) -> Scope:
        """Close the wire, if there is one; returns the scope for another."""
        self.wire_scope.end()
        self.wire, self.link_state, self.statistics = None, "new", LinkStatistics()
        self._reply = None
        self.wire_scope = self.scope.nest("wire")
        return self.wire_scope

    def set_microphone(self, enabled: bool, now: float) -> None:
        """Let the microphone through, or send silence; holds for the microphone after it too."""
        self._sending, self._open_since = enabled, now
        if self.microphone is not None:
            self.microphone.set_enabled(enabled)

    def hear_user(self, level: Level) -> None:
        """The microphone is as loud as this."""
        # What was muted counts as silence in the meter; only silence since then tells of the device.
        owner = self._owner
        open_for = owner.now - self._open_since
        silent = (
            self._sending and owner.call.online and min(level.silence, open_for) >= SILENT_SECONDS
        )
        owner.user_level(level, silent=silent)

    def hear_reply(self, level: Level) -> None:
        """The reply is as loud as this."""
        if level.began:
            self._owner.report(Call.reply_heard, self.number)
        self._owner.reply_level(level)

    def end(self) -> None:
        """Give back everything. Attempt and peer let go of each other: no garbage collector waits."""
        if self._microphone_scope is not None:
            self._microphone_scope.end()  # first of all: a peer takes some milliseconds to close
        self.scope.end()
        self.wire = self.microphone = self._microphone_scope = self._reply = None

    # ---- PeerOwner

    def channel_opened(self) -> None:
        """Events can be sent."""
        self._owner.report(Call.channel_opened, self.number)
        self._begin_sound()

    def channel_closed(self) -> None:
        """The service closed the data channel."""
        self._owner.report(Call.channel_closed, self.number)

    def received(self, text: str) -> None:
        """A text arrived on the data channel."""
        self._owner.received(self.number, text)

    def link_changed(self, state: str) -> None:
        """The peer's `connectionState` is this now."""
        self.link_state = state
        self._owner.report(Call.link_changed, self.number, state)

    def reply_track(self, track: MediaStreamTrack) -> None:
        """The reply's track is there."""
        self._reply = track
        if self._open:
            self._owner.play(self.wire_scope, track, self.hear_reply)

    def sampled(self, entries: list[dict[str, Any]]) -> None:
        """Statistics of this second came."""
        self.statistics = self._sampler.take(entries, self._owner.now)
        self._owner.changed()

    # ---- SocketOwner

    def socket_opened(self, opened: SocketOpened) -> None:
        """The service is there, over the backend."""
        self.link_state = "connected"
        self._owner.begin_next_with(opened.transport)
        self._owner.report(Call.socket_opened, self.number, opened.dialect)
        self._begin_sound()

    def socket_refused(self, why: Problem) -> None:
        """There is no call over the backend."""
        self._owner.wire_settled()
        self._owner.report(Call.failed, self.number, why)

    def socket_closed(self) -> None:
        """The backend closed the socket."""
        self.link_state = "closed"
        self._owner.report(Call.socket_closed, self.number)

    def played(self, item_id: str, content_index: int, milliseconds: float) -> None:
        """So much of a sound has been played."""
        self._owner.report(Call.played, self.number, item_id, content_index, milliseconds)

    def measured(self, statistics: LinkStatistics) -> None:
        """Statistics of this second came."""
        self.statistics = statistics
        self._owner.changed()

    # ---- inside

    def _begin_sound(self) -> None:
        if self.scope.ended or self._open:
            return
        self._open = True
        self._owner.wire_settled()
        if self._reply is not None:
            self._owner.play(self.wire_scope, self._reply, self.hear_reply)
        self._meter_user()

    def _meter_user(self) -> None:
        if self.microphone is not None and self._microphone_scope is not None:
            self._owner.meter_user(self._microphone_scope, self.microphone, self.hear_user)

"""How is a microphone opened, changed and given back?

`open_microphone` asks the browser once and gives what it gets to a scope: a microphone that is granted
after its scope has ended (Stop was pressed while the browser still asked) is stopped at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from voicepilot.page import seam
from voicepilot.page.devices import DEFAULT, Device, Microphones
from voicepilot.page.refusals import Trouble, microphone_problem
from voicepilot.page.scope import Scope
from voicepilot.protocol.problems import problem

if TYPE_CHECKING:
    from voicepilot.page.seam import MediaStream, MediaStreamTrack

_VOICE = {"echoCancellation": True, "noiseSuppression": True, "autoGainControl": True}


class Microphone:
    """An open microphone. The scope it was opened in stops it."""

    __slots__ = ("choice", "label", "stream", "track")

    def __init__(self, choice: str, stream: MediaStream, track: MediaStreamTrack) -> None:
        self.choice = choice
        self.stream = stream
        self.track = track
        self.label = track.label

    def set_enabled(self, enabled: bool) -> None:
        """Send sound, or (disabled) digital silence; the device stays open."""
        self.track.enabled = enabled


async def open_microphone(scope: Scope, choice: str, lost: Callable[[], None]) -> Microphone:
    """Open the microphone `choice` (a device id, or DEFAULT) for as long as `scope` lasts.

    `lost` is called when the device goes away by itself. Raises `Trouble`. Don't cancel this: the
    browser cannot take its question back, and the answer must reach the scope.
    """
    devices = seam.media_devices()
    if devices is None or not seam.microphone_allowed_here():
        raise Trouble(problem("microphone-policy"))
    wanted: dict[str, Any] = dict(_VOICE)
    if choice != DEFAULT:
        wanted["deviceId"] = {"exact": choice}
    try:
        stream = await devices.getUserMedia(seam.options({"audio": wanted}))
    except seam.BrowserRefusal as refusal:
        raise Trouble(microphone_problem(refusal.name)) from refusal
    track = next(iter(stream.getAudioTracks()))
    scope.own(track.stop)
    if not scope.ended:
        seam.listen(scope, track, "ended", lambda _event: lost())
    return Microphone(choice, stream, track)


class MicrophoneList:
    """The microphones that can be chosen, kept up to date while the page lives."""

    def __init__(self, scope: Scope, changed: Callable[[Microphones], None]) -> None:
        self.now = Microphones()
        self._scope = scope
        self._changed = changed
        self._devices = seam.media_devices()
        if self._devices is not None:
            seam.listen(scope, self._devices, "devicechange", lambda _event: self.refresh())

    def refresh(self) -> None:
        """Read the list anew: devices came or went, or labels may be read now."""
        self._scope.start(self._read(), "listing the microphones")

    async def _read(self) -> None:
        if self._devices is None:
            return
        listed = await self._devices.enumerateDevices()
        found = Microphones.among(
            Device(info.deviceId, info.groupId, info.kind, info.label) for info in listed
        )
        if found != self.now:
            self.now = found
            self._changed(found)

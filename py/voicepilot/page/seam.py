"""What does the page ask of the browser, and how do Python and JavaScript meet?

The only module that imports `js` or `pyodide`. The rest of the page takes browser objects from here,
typed by `py/typings/js.pyi`, and calls their methods by the browser's own names.

Rules kept here so that nobody else has to know them:

- Every proxy has an owner: `listen`, `Timer` and `Frame` make one proxy each, in a scope that destroys
  it. None is made per event.
- No handler raises into JavaScript, where nobody would see it: its scope hears of the fault.
- JavaScript's null is `jsnull`, never None; it does not leave this module.
- Nothing of `js` is read while this module is imported, so that it can be imported where there is no
  document (a memory snapshot is made under node).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import js
from pyodide.ffi import JsException, create_proxy, jsnull, to_js

from voicepilot.page.scope import Scope

if TYPE_CHECKING:
    from js import (
        AudioContext,
        AudioNode,
        AudioWorkletNode,
        Editor,
        Element,
        Event,
        EventTarget,
        HTMLAnchorElement,
        HTMLAudioElement,
        HTMLButtonElement,
        HTMLDetailsElement,
        HTMLInputElement,
        KeyboardEvent,
        MediaDevices,
        MediaStream,
        MediaStreamTrack,
        MessageEvent,
        PointerEvent,
        RTCDataChannel,
        RTCPeerConnection,
        RTCTrackEvent,
        WebSocket,
    )

__all__ = [
    "SOCKET_OPEN",
    "AudioContext",
    "AudioNode",
    "AudioWorkletNode",
    "BrowserRefusal",
    "Editor",
    "Element",
    "Event",
    "Frame",
    "HTMLAudioElement",
    "HTMLButtonElement",
    "HTMLDetailsElement",
    "HTMLInputElement",
    "KeyboardEvent",
    "MediaDevices",
    "MediaStream",
    "MediaStreamTrack",
    "MessageEvent",
    "PointerEvent",
    "RTCDataChannel",
    "RTCPeerConnection",
    "RTCTrackEvent",
    "SizeWatch",
    "Timer",
    "WebSocket",
    "audio_context",
    "create",
    "download",
    "editor",
    "find",
    "has_focus",
    "knows_base64",
    "listen",
    "listen_to_document",
    "listen_to_window",
    "media_devices",
    "microphone_allowed_here",
    "new_audio",
    "options",
    "page_age_ms",
    "peer_connection",
    "post_elsewhere",
    "request",
    "socket_address",
    "stream_of",
    "take_early_wish",
    "take_fragment",
    "web_socket",
    "within",
    "worklet_node",
]

BrowserRefusal = JsException
"""What a refused promise or a throwing call raises; `name` is the browser's name for the reason."""

SOCKET_OPEN: Final = 1
"""The `readyState` of a WebSocket that takes texts."""

_HTTP_LIMIT_MS: Final = 5000


# ---- values, listeners, timers


def options(value: Mapping[str, Any]) -> Any:
    """A JavaScript object with these fields (nested mappings become objects too)."""
    return to_js(value, dict_converter=js.Object.fromEntries)


def listen(
    scope: Scope,
    target: EventTarget,
    event: str,
    handler: Callable[[Any], None],
    *,
    capture: bool = False,
) -> None:
    """Call `handler(event)` for each such event of `target`, until `scope` ends."""
    proxy = create_proxy(_guarded(scope, event, handler))
    target.addEventListener(event, proxy, capture)

    def end() -> None:
        target.removeEventListener(event, proxy, capture)
        proxy.destroy()

    scope.own(end)


def listen_to_document(scope: Scope, event: str, handler: Callable[[Any], None]) -> None:
    """As `listen`, for events anywhere in the page."""
    listen(scope, js.document, event, handler)


def listen_to_window(scope: Scope, event: str, handler: Callable[[Any], None]) -> None:
    """As `listen`, for events of the window itself."""
    listen(scope, js.window, event, handler)


class Timer:
    """One alarm that can be set again and again; a new setting replaces the old one."""

    __slots__ = ("_id", "_proxy")

    def __init__(self, scope: Scope, ring: Callable[[], None]) -> None:
        self._id: int | None = None
        self._proxy = create_proxy(_guarded(scope, "timer", lambda: self._ring(ring)))
        scope.own(self._end)

    def set(self, seconds: float) -> None:
        """Ring once, after so many seconds."""
        self.clear()
        self._id = js.setTimeout(self._proxy, max(0.0, seconds) * 1000)

    def clear(self) -> None:
        """Don't ring."""
        if self._id is not None:
            js.clearTimeout(self._id)
            self._id = None

    def _ring(self, ring: Callable[[], None]) -> None:
        self._id = None
        ring()

    def _end(self) -> None:
        self.clear()
        self._proxy.destroy()


class Frame:
    """Draws at most once per animation frame, however often it is asked to."""

    __slots__ = ("_id", "_proxy")

    def __init__(self, scope: Scope, draw: Callable[[], None]) -> None:
        self._id: int | None = None

        def drawn(_timestamp: float) -> None:
            self._id = None
            draw()

        self._proxy = create_proxy(_guarded(scope, "drawing", drawn))
        scope.own(self._end)

    def request(self) -> None:
        """Draw in the next frame."""
        if self._id is None:
            self._id = js.requestAnimationFrame(self._proxy)

    def _end(self) -> None:
        if self._id is not None:
            js.cancelAnimationFrame(self._id)
            self._id = None
        self._proxy.destroy()


class SizeWatch:
    """Tells when elements have become larger or smaller, in the same frame, once the browser has laid it out.

    Where they stand can be asked then without making the browser lay out the page a second time.
    """

    __slots__ = ("_observer",)

    def __init__(self, scope: Scope, resized: Callable[[], None]) -> None:
        proxy = create_proxy(_guarded(scope, "resize", lambda *_observed: resized()))
        self._observer = js.ResizeObserver.new(proxy)
        scope.own(proxy.destroy)
        scope.own(self._observer.disconnect)

    def watch(self, element: Element) -> None:
        """Tell of this element too, for the first time at once."""
        self._observer.observe(element)

    def forget(self, element: Element) -> None:
        """Tell of this element no more."""
        self._observer.unobserve(element)


def _guarded(scope: Scope, what: str, handler: Callable[..., None]) -> Callable[..., None]:
    def call(*arguments: Any) -> None:
        try:
            handler(*arguments)
        except Exception as error:
            scope.report(what, error)

    return call


# ---- the document


def find(element_id: str) -> Any:
    """The element of the page with this id. Raises LookupError where index.html has none."""
    found = js.document.getElementById(element_id)
    if found is jsnull:
        raise LookupError(f"index.html has no element with the id {element_id}")
    return found


def create(tag: str, style_class: str = "", text: str = "") -> Any:
    """A new element that is nowhere in the page yet."""
    element = js.document.createElement(tag)
    if style_class:
        element.className = style_class
    if text:
        element.textContent = text
    return element


def has_focus(element: Element) -> bool:
    """Whether the keyboard's input goes to this element."""
    return element.matches(":focus")


def within(target: Any, selector: str) -> bool:
    """Whether an event's target is an element that matches the CSS selector, or is inside one."""
    closest = getattr(target, "closest", None)  # the document itself, as a target, has none
    return closest is not None and closest(selector) is not jsnull


def download(name: str, text: str, media_type: str) -> None:
    """Offer `text` to the person as a file."""
    url = js.URL.createObjectURL(js.Blob.new(to_js([text]), options({"type": media_type})))
    link: HTMLAnchorElement = js.document.createElement("a")
    link.href = url
    link.download = name
    link.click()
    js.URL.revokeObjectURL(url)


def page_age_ms() -> float:
    """Milliseconds since the browser began to open this page."""
    return js.performance.now()


def take_early_wish() -> str:
    """What the person pressed while Python started, as the loader has kept it; empty for nothing."""
    call: Element = find("call")
    wish = getattr(call.dataset, "wanted", "")
    call.removeAttribute("data-wanted")
    return wish


def take_fragment() -> str:
    """The address's fragment without its #. It is removed, so that nobody copies it by accident."""
    fragment = js.location.hash.removeprefix("#")
    if fragment:
        js.history.replaceState(None, "", js.location.pathname + js.location.search)
    return fragment


def editor() -> Editor:
    """The editor whose webview this document is in. It gives itself once; a second call raises."""
    return js.acquireVsCodeApi()


# ---- the page's own server


async def request(method: str, path: str, body: str | None = None) -> int:
    """Ask the page's server; returns the HTTP status, 0 where no answer came in five seconds."""
    init: dict[str, Any] = {"method": method, "signal": js.AbortSignal.timeout(_HTTP_LIMIT_MS)}
    if body is not None:
        init |= {"body": body, "headers": {"content-type": "application/json"}}
    try:
        return (await js.fetch(path, options(init))).status
    except JsException:
        return 0


async def post_elsewhere(
    url: str, headers: Mapping[str, str], body: str, patience_ms: float
) -> tuple[int, str, str]:
    """Post to another server, without cookies: status, text and Location; status 0 for no answer."""
    init = {
        "method": "POST",
        "headers": headers,
        "body": body,
        "credentials": "omit",
        "referrerPolicy": "no-referrer",
        "redirect": "error",
        "signal": js.AbortSignal.timeout(patience_ms),
    }
    try:
        response = await js.fetch(url, options(init))
        text = await response.text()
    except JsException:
        return 0, "", ""
    location = response.headers.get("Location")
    return response.status, text, location if isinstance(location, str) else ""


def socket_address(path: str) -> str:
    """The WebSocket address of `path` on the server that this page came from."""
    scheme = "wss:" if js.location.protocol == "https:" else "ws:"
    return f"{scheme}//{js.location.host}{path}"


def web_socket(address: str) -> WebSocket:
    """Begin to connect a WebSocket."""
    return js.WebSocket.new(address)


# ---- media


def microphone_allowed_here() -> bool:
    """May this document use a microphone at all, whatever the person would answer?

    Asks the document's policy. `navigator.permissions` is no witness: in a frame that may not use the
    microphone it can still say `granted`.
    """
    for policy in ("permissionsPolicy", "featurePolicy"):
        found = getattr(js.document, policy, None)
        if found is not None:
            return bool(found.allowsFeature("microphone"))
    return True  # Firefox and Safari offer no policy to ask; getUserMedia will tell


def media_devices() -> MediaDevices | None:
    """The browser's devices; None where the page is in no secure context."""
    return cast("MediaDevices | None", getattr(js.navigator, "mediaDevices", None))


def audio_context(rate: int | None = None) -> AudioContext:
    """A new audio context for conversation (small buffers), at `rate` or the loudspeaker's own."""
    wanted: dict[str, Any] = {"latencyHint": "interactive"}
    return js.AudioContext.new(options(wanted if rate is None else wanted | {"sampleRate": rate}))


def new_audio() -> HTMLAudioElement:
    """A new audio element that plays what it is given, in the page but invisible."""
    audio: HTMLAudioElement = js.document.createElement("audio")
    audio.autoplay = True
    audio.hidden = True
    js.document.body.append(audio)
    return audio


def worklet_node(context: AudioContext, name: str) -> AudioWorkletNode:
    """A node of a worklet that has been added, with one channel in and one out."""
    shape = {"numberOfInputs": 1, "numberOfOutputs": 1, "outputChannelCount": [1]}
    return js.AudioWorkletNode.new(context, name, options(shape))


def knows_base64() -> bool:
    """Whether this browser's typed arrays read and write base64, as `worklets/pcm.js` needs it."""
    return hasattr(js.Uint8Array, "fromBase64")


def stream_of(tracks: Sequence[MediaStreamTrack]) -> MediaStream:
    """A stream of these tracks."""
    return js.MediaStream.new(to_js(list(tracks)))


def peer_connection() -> RTCPeerConnection:
    """A new peer connection without ICE servers: the realtime service is publicly reachable."""
    return js.RTCPeerConnection.new(options({"bundlePolicy": "max-bundle"}))

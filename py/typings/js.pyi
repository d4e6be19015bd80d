# ruff: noqa: N802, N815 (the browser spells these names)
"""The part of the browser that `voicepilot.page` touches, and nothing else.

Spelled as the browser spells it. `new` is Pyodide's word for a constructor call. A promise is an
`Awaitable`. What JavaScript calls null arrives as `pyodide.ffi.jsnull`.
"""

from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, Literal, Protocol, TypeVar

from pyodide.ffi import JsNull, JsProxy

_T_co = TypeVar("_T_co", covariant=True)

class JsArray(Protocol[_T_co]):
    def __iter__(self) -> Iterator[_T_co]: ...

# ---- events

class EventTarget(Protocol):
    def addEventListener(self, type: str, listener: JsProxy, options: bool = ...) -> None: ...
    def removeEventListener(self, type: str, listener: JsProxy, options: bool = ...) -> None: ...

class Event(Protocol):
    target: Any
    def preventDefault(self) -> None: ...

class KeyboardEvent(Event, Protocol):
    key: str
    shiftKey: bool
    isComposing: bool
    repeat: bool
    ctrlKey: bool
    altKey: bool
    metaKey: bool
    defaultPrevented: bool

class PointerEvent(Event, Protocol):
    button: int
    isPrimary: bool
    pointerId: int

class MessageEvent(Event, Protocol):
    data: Any

class RTCTrackEvent(Event, Protocol):
    track: MediaStreamTrack

# ---- elements

class StringMap(Protocol):
    def __getattr__(self, name: str) -> str: ...
    def __setattr__(self, name: str, value: str) -> None: ...
    def __delattr__(self, name: str) -> None: ...

class Element(EventTarget, Protocol):
    id: str
    className: str
    textContent: str
    hidden: bool
    title: str
    dataset: StringMap
    style: StringMap
    children: JsArray[Element]
    scrollTop: float
    @property
    def scrollHeight(self) -> float: ...
    @property
    def clientHeight(self) -> float: ...
    def setAttribute(self, name: str, value: str) -> None: ...
    def removeAttribute(self, name: str) -> None: ...
    def append(self, *nodes: Element) -> None: ...
    def prepend(self, *nodes: Element) -> None: ...
    def after(self, *nodes: Element) -> None: ...
    def replaceChildren(self, *nodes: Element) -> None: ...
    def cloneNode(self, deep: bool) -> Element: ...
    def remove(self) -> None: ...
    def focus(self) -> None: ...
    def click(self) -> None: ...
    def scrollIntoView(self, options: JsProxy) -> None: ...
    def matches(self, selectors: str) -> bool: ...
    def setPointerCapture(self, pointer_id: int) -> None: ...

class HTMLButtonElement(Element, Protocol):
    disabled: bool

class HTMLInputElement(Element, Protocol):
    value: str
    disabled: bool

class HTMLDetailsElement(Element, Protocol):
    open: bool

class HTMLAnchorElement(Element, Protocol):
    href: str
    download: str

class HTMLAudioElement(Element, Protocol):
    srcObject: MediaStream | None
    autoplay: bool
    muted: bool
    def play(self) -> Awaitable[None]: ...
    def pause(self) -> None: ...

class FeaturePolicy(Protocol):
    def allowsFeature(self, feature: str) -> bool: ...

class Document(EventTarget, Protocol):
    body: Element
    def getElementById(self, id: str) -> Element | JsNull: ...
    def createElement(self, tag: str) -> Any: ...

document: Document
window: EventTarget

# ---- the window

class Performance(Protocol):
    def now(self) -> float: ...

class Location(Protocol):
    hash: str
    host: str
    protocol: str
    pathname: str
    search: str

class History(Protocol):
    def replaceState(self, state: None, unused: str, url: str) -> None: ...

class Navigator(Protocol):
    mediaDevices: MediaDevices

class Editor(Protocol):
    def postMessage(self, message: JsProxy) -> None: ...

def acquireVsCodeApi() -> Editor: ...

location: Location
performance: Performance
history: History
navigator: Navigator

def setTimeout(handler: JsProxy, milliseconds: float) -> int: ...
def clearTimeout(id: int) -> None: ...

class ResizeObserver(Protocol):
    @staticmethod
    def new(resized: JsProxy) -> ResizeObserver: ...
    def observe(self, target: Element) -> None: ...
    def unobserve(self, target: Element) -> None: ...
    def disconnect(self) -> None: ...

def requestAnimationFrame(handler: JsProxy) -> int: ...
def cancelAnimationFrame(id: int) -> None: ...

class Headers(Protocol):
    def get(self, name: str) -> str | JsNull: ...

class Response(Protocol):
    ok: bool
    status: int
    headers: Headers

    def text(self) -> Awaitable[str]: ...

def fetch(url: str, init: JsProxy = ...) -> Awaitable[Response]: ...

class AbortSignal(Protocol):
    @staticmethod
    def timeout(milliseconds: float) -> AbortSignal: ...

class Blob(Protocol):
    @staticmethod
    def new(parts: JsProxy, options: JsProxy = ...) -> Blob: ...

class URL(Protocol):
    @staticmethod
    def createObjectURL(blob: Blob) -> str: ...
    @staticmethod
    def revokeObjectURL(url: str) -> None: ...

class Uint8Array(Protocol):
    @staticmethod
    def fromBase64(text: str) -> Uint8Array: ...

class WebSocket(EventTarget, Protocol):
    readyState: int
    bufferedAmount: int
    @staticmethod
    def new(url: str) -> WebSocket: ...
    def send(self, text: str) -> None: ...
    def close(self) -> None: ...

class Object(Protocol):
    @staticmethod
    def fromEntries(entries: Iterable[Any]) -> Any: ...

# ---- media

class MediaStreamTrack(EventTarget, Protocol):
    label: str
    enabled: bool
    readyState: Literal["live", "ended"]
    def stop(self) -> None: ...

class MediaStream(Protocol):
    @staticmethod
    def new(tracks: JsProxy = ...) -> MediaStream: ...
    def getTracks(self) -> JsArray[MediaStreamTrack]: ...
    def getAudioTracks(self) -> JsArray[MediaStreamTrack]: ...

class MediaDeviceInfo(Protocol):
    deviceId: str
    groupId: str
    kind: str
    label: str

class MediaDevices(EventTarget, Protocol):
    def getUserMedia(self, constraints: JsProxy) -> Awaitable[MediaStream]: ...
    def enumerateDevices(self) -> Awaitable[JsArray[MediaDeviceInfo]]: ...

class AudioNode(Protocol):
    def connect(self, destination: AudioNode) -> AudioNode: ...
    def disconnect(self) -> None: ...

class AudioWorklet(Protocol):
    def addModule(self, url: str) -> Awaitable[None]: ...

class AudioContext(Protocol):
    state: str
    destination: AudioNode
    audioWorklet: AudioWorklet
    @staticmethod
    def new(options: JsProxy = ...) -> AudioContext: ...
    def createMediaStreamSource(self, stream: MediaStream) -> AudioNode: ...
    def resume(self) -> Awaitable[None]: ...
    def suspend(self) -> Awaitable[None]: ...

class MessagePort(EventTarget, Protocol):
    def start(self) -> None: ...
    def close(self) -> None: ...
    def postMessage(self, message: Any) -> None: ...

class AudioWorkletNode(AudioNode, Protocol):
    port: MessagePort
    @staticmethod
    def new(context: AudioContext, name: str, options: JsProxy = ...) -> AudioWorkletNode: ...

# ---- the peer connection

class RTCSessionDescription(Protocol):
    sdp: str
    type: str

class RTCRtpSender(Protocol):
    def replaceTrack(self, track: MediaStreamTrack) -> Awaitable[None]: ...

class RTCDataChannel(EventTarget, Protocol):
    readyState: Literal["connecting", "open", "closing", "closed"]
    def send(self, text: str) -> None: ...
    def close(self) -> None: ...

class RTCStatsReport(Protocol):
    def values(self) -> Iterable[Any]: ...

class RTCPeerConnection(EventTarget, Protocol):
    connectionState: str
    @staticmethod
    def new(configuration: JsProxy = ...) -> RTCPeerConnection: ...
    def addTrack(self, track: MediaStreamTrack, stream: MediaStream) -> RTCRtpSender: ...
    def createDataChannel(self, label: str) -> RTCDataChannel: ...
    localDescription: RTCSessionDescription
    def setLocalDescription(self) -> Awaitable[None]: ...
    def setRemoteDescription(self, description: JsProxy) -> Awaitable[None]: ...
    def getStats(self) -> Awaitable[RTCStatsReport]: ...
    def close(self) -> None: ...

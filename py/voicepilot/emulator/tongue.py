"""In which dialect do the service and a client speak?

Inside, everything is GA. A tongue reads what its client sends and says what the service has to say; the
tables of names are those of :mod:`voicepilot.protocol.dialects`. The preview dialect does not take the names
of GA, nor GA those of the preview: a client that mixes them up is told so, as by the real service.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voicepilot.emulator.configuration import Configuration
from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.schema import Anything, Choice, Items, Number, Record
from voicepilot.protocol.dialects import (
    PREVIEW_SESSION_FIELDS,
    Dialect,
    client_event_to_ga,
    parameter_to_preview,
    server_event_to_dialect,
    session_to_ga,
    session_to_preview,
)

_Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Tongue:
    """One dialect.

    ``read`` gives a client's event with the names of GA and raises :class:`~.errors.Rejected` where it is
    not of this dialect; ``say`` gives an event as the client knows it, ``None`` if it knows none such.
    """

    name: Dialect
    read: Callable[[_Json], _Json]
    say: Callable[[_Json], _Json | None]


def preview_configuration(body: Any) -> Configuration:
    """The configuration that a client of the preview asks for when it mints a key.

    Raises:
        Rejected: it is no flat session object with a model.
    """
    try:
        flat = _with_modalities(_MINTED.read(body, "session"), "session")
        return Configuration.minted({"type": "realtime", **session_to_ga(flat)})
    except Rejected as rejected:
        error = _renamed(rejected.error(None))
        param = error["param"]
        bare = param.removeprefix("session.") if param is not None else None
        message = error["message"].replace(str(param), str(bare))
        raise Rejected(rejected.code, message, bare) from rejected


def preview_session(session: _Json) -> _Json:
    """A session object of GA as the preview shows it."""
    return {"object": "realtime.session", **session_to_preview(session)}


_IS_FIELD = re.compile(r"\w+\.\w+")
_MODALITIES = Items(Choice(("text", "audio")))
_COMMON = ("model", "instructions", "tools", "tool_choice", "tracing")
_SESSION = Record(
    {
        **dict.fromkeys((*_COMMON, *sorted(PREVIEW_SESSION_FIELDS)), Anything()),
        "modalities": _MODALITIES,
        "temperature": Number(0.6, 1.2),
    }
)
_MINTED = Record(_SESSION.fields, required=("model",))
_WISHES = Record(
    {
        **dict.fromkeys(
            (
                *("conversation", "input", "instructions", "metadata", "tools", "tool_choice"),
                *("voice", "output_audio_format", "max_response_output_tokens"),
            ),
            Anything(),
        ),
        "modalities": _MODALITIES,
        "temperature": Number(0.6, 1.2),
    }
)


def _read_preview(event: _Json) -> _Json:
    match event:
        case {"type": "session.update", "session": session}:
            flat = _with_modalities(_SESSION.read(session, "session"), "session")
            return event | {"session": {"type": "realtime", **session_to_ga(flat)}}
        case {"type": "response.create", "response": dict(wishes)}:
            flat = _with_modalities(_WISHES.read(wishes, "response"), "response")
            return client_event_to_ga(event | {"response": flat})
    return client_event_to_ga(event)


def _with_modalities(flat: _Json, path: str) -> _Json:
    if "modalities" in flat and set(flat["modalities"]) not in ({"text"}, {"audio", "text"}):
        raise Rejected(
            "invalid_value",
            f"Invalid modalities: {flat['modalities']}. Supported combinations are: ['text'] and "
            "['audio', 'text'].",
            f"{path}.modalities",
        )
    return flat


def _say_preview(event: _Json) -> _Json | None:
    said = server_event_to_dialect(event, "preview")
    if said is not None and "error" in said and event["type"] == "error":
        said["error"] = _renamed(event["error"])
    if said is not None and "session" in said:
        said["session"] = {"object": "realtime.session", **said["session"]}
    return said


def _renamed(error: _Json) -> _Json:
    """An error that names its field as the preview does, in its sentence too."""
    old = error["param"]
    new = parameter_to_preview(old)
    # A field of GA that is unknown here was refused by its own name, and keeps it.
    unknown_here = error["code"] == "unknown_parameter" and _IS_FIELD.fullmatch(str(new))
    if new == old or unknown_here:
        return error
    return error | {"param": new, "message": error["message"].replace(old, new)}


GA = Tongue("ga", lambda event: event, lambda event: event)
PREVIEW = Tongue("preview", _read_preview, _say_preview)

"""What a failure that the service reports in a call means for the call, by its code.

Most `error` events are recoverable and the session stays open. Sources: `openai` types (RealtimeErrorEvent),
Azure recordings and the published field failures of other clients; `session_expired` also closes the session.
"""

from __future__ import annotations

from typing import Final

from .problems import Problem, problem
from .server_events import ErrorDetail

ALREADY_ACTIVE: Final = "conversation_already_has_active_response"
"""Another response was faster; the wish is kept and sent again (`session/response_gate.py`)."""

COMMIT_EMPTY: Final = "input_audio_buffer_commit_empty"
"""Too little sound to be a turn: push-to-talk was only tapped (`session/push_to_talk.py`)."""

_BENIGN: Final = frozenset(
    {
        ALREADY_ACTIVE,
        "response_cancel_not_active",  # the response ended while the cancel was on its way
        COMMIT_EMPTY,
        "item_retrieve_invalid_item_id",
        "item_truncate_invalid_item_id",
        "item_delete_invalid_item_id",
        "unsupported_content_type",  # a truncate that came too late
    }
)

_OF_TRUNCATE: Final = "audio_end_ms"
"""The service counts the sound of an answer a little shorter than this side does."""

_FATAL: Final[dict[str, str]] = {
    "session_expired": "session-expired",
    "insufficient_quota": "service-refused",
    "invalid_api_key": "service-refused",
    "account_deactivated": "service-refused",
    "billing_hard_limit_reached": "service-refused",
}
"""Codes after which the call cannot go on, and the problem each one is."""


def judge(error: ErrorDetail) -> Problem | None:
    """Return the problem that an error event is for the user, None where it is of no concern."""
    if error.code in _BENIGN or error.param == _OF_TRUNCATE:
        return None
    code = _FATAL.get(error.code, "request-refused")
    words = error.message or error.code or error.type or "no reason given"
    return problem(code) if code == "session-expired" else problem(code, detail=words)


def response_problem(error: ErrorDetail) -> Problem:
    """Return the problem that a failed or incomplete response is for the user."""
    match error.code:
        case "content_filter":
            return problem("response-filtered")
        case "max_output_tokens":
            return problem("response-cut")
    return problem("response-failed", detail=error.message or error.code or "no reason")


def transcription_problem(error: ErrorDetail) -> Problem:
    """Return the problem that words which could not be written down are for the user."""
    if error.code == "DeploymentNotFound":
        return problem("transcription-missing")
    return problem("transcription-failed", detail=error.message or error.code or "no reason")

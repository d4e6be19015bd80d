"""Which faults can the service be told to have, and which of them does it have now?

A scenario is a fault of the real service or of the network before it, by name; some take an argument,
written ``name:argument``. They are switched when the service starts (``--scenario``) or while it runs
(:mod:`voicepilot.emulator.control`). The table :data:`SCENARIOS` says for each where it bites:

* minting, offer: requests for new calls; calls that run are left alone;
* new calls: for the whole life of each call that begins while the scenario is on;
* every call: from the moment it is switched on until it is switched off, in running calls too.

Statuses, codes and messages are those of Azure's service as far as they are known (recordings of 2026-07,
Microsoft's error reference).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from voicepilot.emulator.errors import Refused, access_denied

SLOW_ANSWER_S: Final = 3.0
"""How long ``slow-sdp`` keeps an offer waiting."""

LATE_TRANSCRIPT_S: Final = 3.0
"""How long ``transcript-late`` holds a transcript back."""

RETRY_AFTER_S: Final = 20
"""What ``mint-429`` asks clients to wait."""

_LONGEST_SESSION_S: Final = 3600


class Bites(StrEnum):
    """Where a scenario is noticed."""

    MINTING = "minting"
    OFFER = "offer"
    NEW_CALLS = "new calls"
    EVERY_CALL = "every call"


class UnknownScenarioError(ValueError):
    """There is no such scenario, or it does not take such an argument; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What stands behind the colon: its name in the documentation, and how it is read.

    ``read`` gives None for what it does not accept; ``accepts`` says in words what it does.
    """

    name: str
    accepts: str
    read: Callable[[str], int | str | None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault."""

    name: str
    bites: Bites
    description: str
    argument: Argument | None = None

    @property
    def usage(self) -> str:
        """How it is written: ``name`` or ``name:ARGUMENT``."""
        return self.name if self.argument is None else f"{self.name}:{self.argument.name}"


def _seconds(text: str) -> int | None:
    whole = text.isascii() and text.isdigit() and len(text) <= len(str(_LONGEST_SESSION_S))
    return int(text) if whole and 1 <= int(text) <= _LONGEST_SESSION_S else None


def _code(text: str) -> str | None:
    return text if re.fullmatch(r"[a-z][a-z0-9_]{0,63}", text) else None


_SECONDS = Argument("SECONDS", f"a whole number from 1 to {_LONGEST_SESSION_S}", _seconds)
_CODE = Argument("CODE", "a code like rate_limit_exceeded", _code)

_TABLE: Final = (
    Scenario(
        "preview-only",
        Bites.MINTING,
        "The resource knows only the preview protocol: there is nothing where GA mints keys.",
    ),
    Scenario("mint-401", Bites.MINTING, "The standing key is not accepted."),
    Scenario(
        "mint-403-role",
        Bites.MINTING,
        "The key or login is good, but its principal lacks the role for this data action.",
    ),
    Scenario(
        "mint-404-deployment",
        Bites.MINTING,
        "There is no deployment of the name that the session asks for.",
    ),
    Scenario(
        "mint-429",
        Bites.MINTING,
        f"The quota is used up; retry-after asks to wait {RETRY_AFTER_S} seconds.",
    ),
    Scenario("mint-503", Bites.MINTING, "The service is down for the moment."),
    Scenario(
        "key-expired",
        Bites.OFFER,
        "Every ephemeral key has expired when the offer comes with it.",
    ),
    Scenario("sdp-400", Bites.OFFER, "The service does not take the offer."),
    Scenario(
        "slow-sdp",
        Bites.OFFER,
        f"The answer to an offer takes {SLOW_ANSWER_S:.0f} seconds longer.",
    ),
    Scenario(
        "no-media",
        Bites.NEW_CALLS,
        "The call is answered, but no packet gets through: ICE never connects.",
    ),
    Scenario(
        "udp-blocked",
        Bites.NEW_CALLS,
        "Packets over UDP are lost both ways; only the TCP candidate works.",
    ),
    Scenario(
        "cut-link",
        Bites.EVERY_CALL,
        "Media and events stop flowing, both ways, until the scenario is switched off.",
    ),
    Scenario(
        "close-channel",
        Bites.EVERY_CALL,
        "The service closes the data channel: at once in running calls, right after "
        "session.created in new ones.",
    ),
    Scenario(
        "session-expires",
        Bites.EVERY_CALL,
        "A session lasts this long from its start; one that has lasted longer ends at once.",
        _SECONDS,
    ),
    Scenario(
        "response-failed",
        Bites.EVERY_CALL,
        "Every response ends with this error and no output, and no error event tells of it. "
        "content_filter ends it as incomplete, as the real filter does.",
        _CODE,
    ),
    Scenario(
        "transcription-failed",
        Bites.EVERY_CALL,
        "What the user says is not written down: there is no transcription deployment. "
        "The answer comes all the same.",
    ),
    Scenario(
        "transcript-late",
        Bites.EVERY_CALL,
        f"The transcript of what the user says comes {LATE_TRANSCRIPT_S:.0f} seconds late, as a "
        "rule after the answer has begun.",
    ),
    Scenario(
        "ignore-session-update",
        Bites.EVERY_CALL,
        "session.update changes nothing and is not answered.",
    ),
    Scenario(
        "garbage-events",
        Bites.EVERY_CALL,
        "Between the real events come malformed, unknown and duplicated ones, and some come late, "
        "after those that followed them.",
    ),
    Scenario(
        "silent-model",
        Bites.EVERY_CALL,
        "No response ever begins, whether the user speaks or the client asks for one.",
    ),
    Scenario(
        "echo",
        Bites.NEW_CALLS,
        "No fault, but a measure: the user's sound comes straight back, and is not listened to.",
    ),
)

SCENARIOS: Final[dict[str, Scenario]] = {scenario.name: scenario for scenario in _TABLE}
"""Every scenario by its name."""

_MINT_REFUSALS: Final[dict[str, Callable[[], Refused]]] = {
    "mint-401": access_denied,
    "mint-403-role": lambda: Refused(
        403,
        "PermissionDenied",
        "The principal lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/realtime/action` to perform "
        "`POST /openai/v1/realtime/client_secrets` operation.",
    ),
    "mint-404-deployment": lambda: Refused(
        404,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment "
        "within the last 5 minutes, please wait a moment and try again.",
    ),
    "mint-429": lambda: Refused(
        429,
        "429",
        "Requests have exceeded the call rate limit of this deployment. "
        f"Please retry after {RETRY_AFTER_S} seconds.",
        headers={"retry-after": str(RETRY_AFTER_S)},
    ),
    "mint-503": lambda: Refused(
        503, "ServiceUnavailable", "The service is temporarily unable to process the request."
    ),
}

_RESPONSE_ERRORS: Final[dict[str, tuple[str, str]]] = {
    "rate_limit_exceeded": ("tokens", "Rate limit of the deployment reached. Try again later."),
    "insufficient_quota": ("insufficient_quota", "The quota of the subscription is used up."),
    "server_error": ("server_error", "The server had an error while making the response."),
}
"""Code: type and message. Other codes are server errors."""


def read_scenario(wanted: str) -> tuple[Scenario, int | str | None]:
    """The scenario and argument that ``name`` or ``name:argument`` means.

    Raises:
        UnknownScenarioError: there is none of this name, or the argument is missing, wrong or one too many.
    """
    name, colon, text = wanted.partition(":")
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise UnknownScenarioError(
            f"There is no scenario {name[:60]!r}. There are: {', '.join(SCENARIOS)}."
        )
    if scenario.argument is None:
        if colon:
            raise UnknownScenarioError(f"The scenario {name} takes no argument.")
        return scenario, None
    value = scenario.argument.read(text)
    if value is None:
        accepts = scenario.argument.accepts
        raise UnknownScenarioError(f"The scenario {name} needs {accepts}: {scenario.usage}.")
    return scenario, value


class Faults:
    """The scenarios that are on. Who must do something when that changes, watches.

    Args:
        wanted: those that are on from the start, as :func:`read_scenario` takes them.

    Raises:
        UnknownScenarioError: one of them is not to be had.
    """

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        self._on: dict[str, int | str | None] = {}
        self._watchers: list[Callable[[], None]] = []
        for each in wanted:
            self.switch_on(each)

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def switch_on(self, wanted: str) -> Scenario:
        """Have this fault from now on, or with another argument.

        Raises:
            UnknownScenarioError: it is not to be had; nothing has changed.
        """
        scenario, value = read_scenario(wanted)
        self._on[scenario.name] = value
        self._changed()
        return scenario

    def switch_off(self, name: str) -> Scenario:
        """Have this fault no more. An argument behind the name does not matter.

        Raises:
            UnknownScenarioError: there is none of this name.
        """
        scenario = SCENARIOS.get(name.partition(":")[0])
        if scenario is None:
            raise UnknownScenarioError(f"There is no scenario {name[:60]!r}.")
        self._on.pop(scenario.name, None)
        self._changed()
        return scenario

    def clear(self) -> None:
        """Have no fault any more."""
        self._on.clear()
        self._changed()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever a scenario is switched; returns what ends that."""
        self._watchers.append(changed)

        def unwatch() -> None:
            if changed in self._watchers:
                self._watchers.remove(changed)

        return unwatch

    def shown(self, scenario: Scenario) -> dict[str, Any]:
        """A scenario and whether it is on, for people and programs that ask."""
        return {
            "name": scenario.name,
            "usage": scenario.usage,
            "bites": scenario.bites.value,
            "description": scenario.description,
            "active": scenario.name in self._on,
            "argument": self._on.get(scenario.name),
        }

    # -- what the service asks ------------------------------------------------------------------

    def check_minting(self) -> None:
        """Whether a key may be minted.

        Raises:
            Refused: a scenario says no.
        """
        for name, refusal in _MINT_REFUSALS.items():
            if name in self._on:
                raise refusal()

    @property
    def session_seconds(self) -> int | None:
        """How long a session lasts, None where no scenario says so."""
        value = self._on.get("session-expires")
        return value if isinstance(value, int) else None

    def response_end(self) -> tuple[str, dict[str, Any]] | None:
        """Status and details with which every response is to end, None where it may be made."""
        code = self._on.get("response-failed")
        if not isinstance(code, str):
            return None
        if code == "content_filter":
            return "incomplete", {"type": "incomplete", "reason": code}
        kind, message = _RESPONSE_ERRORS.get(
            code, ("server_error", f"The response failed: {code}.")
        )
        error = {"type": kind, "code": code, "message": message}
        return "failed", {"type": "failed", "error": error}

    def _changed(self) -> None:
        for changed in tuple(self._watchers):
            changed()

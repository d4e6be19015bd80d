"""What do a call page and a page that mirrors it say to each other, over the backend between them?

The schema of their methods, in the manner of `messages`. A *call page* may use the microphone; a
*mirror* may not: it shows and controls the call of the call page.

| direction | method | params | result |
|---|---|---|---|
| mirror to backend | `mirror.open` | `{}` | `{}`; then the notifications below, everything so far first |
| backend to mirror | `mirror.feed` | `{page, first, entries}` | |
| backend to mirror | `mirror.alone` | `{}`: there is no call page | |
| mirror to backend, then to the call page as a notification | `call.control` | `{action, value}` | `{}` |
| likewise | `call.configure` | `{session}` | `{}` |
| call page to backend, then to mirrors, notifications | `call.levels` | `{user, reply}` | |
| likewise | `call.scene` | `{microphones, microphone, problems, link, statistics}` | |
| call page to backend, a notification | `call.take` | `{}`: the call is here now, another page's ends | |
| likewise | `call.leave` | `{}`: the page is being closed | |
| backend to call page, a notification | `call.place` | `{elsewhere, watched}` | |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voicepilot.bridge.messages import Fields, MessageError

MIRROR_OPEN: Final = "mirror.open"
MIRROR_FEED: Final = "mirror.feed"
MIRROR_ALONE: Final = "mirror.alone"
CALL_CONFIGURE: Final = "call.configure"
CALL_LEVELS: Final = "call.levels"
CALL_SCENE: Final = "call.scene"
CALL_TAKE: Final = "call.take"
CALL_LEAVE: Final = "call.leave"
CALL_PLACE: Final = "call.place"


@dataclass(frozen=True, slots=True)
class MirrorFeed:
    """Inputs of the core of `page`, oldest first (`session.feed.encode`); `first` counts from 1."""

    page: str
    first: int
    entries: tuple[object, ...]

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"page": self.page, "first": self.first, "entries": list(self.entries)}

    @classmethod
    def from_params(cls, params: object) -> MirrorFeed:
        """Raises MessageError."""
        fields = Fields(params, "page", "first", "entries")
        first = fields.integer("first", least=1)
        return cls(fields.text("page"), first, tuple(fields.array("entries")))


@dataclass(frozen=True, slots=True)
class ConfigureCall:
    """The running call shall take this along: the GA body of a `session.update`."""

    session: Mapping[str, object]

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"session": dict(self.session)}

    @classmethod
    def from_params(cls, params: object) -> ConfigureCall:
        """Raises MessageError."""
        return cls(Fields(params, "session").mapping("session"))


@dataclass(frozen=True, slots=True)
class Levels:
    """How loud both sides are: root mean square, full scale is 1. At most ten in a second."""

    user: float
    reply: float

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"user": self.user, "reply": self.reply}

    @classmethod
    def from_params(cls, params: object) -> Levels:
        """Raises MessageError."""
        fields = Fields(params, "user", "reply")
        return cls(_level(fields, "user"), _level(fields, "reply"))


@dataclass(frozen=True, slots=True)
class Scene:
    """What a call page shows beside its call.

    `microphones` are `{id, label}`, `microphone` is the id of the chosen one, `problems` those that the
    page noticed by itself, `link` the state of its connection to the service and `statistics` the
    figures of `page.link_statistics`.
    """

    microphones: tuple[Mapping[str, object], ...]
    microphone: str
    problems: tuple[object, ...]
    link: str
    statistics: Mapping[str, object]

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {
            "microphones": [dict(each) for each in self.microphones],
            "microphone": self.microphone,
            "problems": list(self.problems),
            "link": self.link,
            "statistics": dict(self.statistics),
        }

    @classmethod
    def from_params(cls, params: object) -> Scene:
        """Raises MessageError."""
        fields = Fields(params, "microphones", "microphone", "problems", "link", "statistics")
        return cls(
            tuple(_microphone(each) for each in fields.array("microphones")),
            fields.text("microphone", empty=True),
            tuple(fields.array("problems")),
            fields.text("link"),
            fields.mapping("statistics"),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """What a call page must know of others: whether the call belongs to another page (`elsewhere`), and
    whether a mirror wants levels and scene (`watched`).
    """

    elsewhere: bool
    watched: bool

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"elsewhere": self.elsewhere, "watched": self.watched}

    @classmethod
    def from_params(cls, params: object) -> Place:
        """Raises MessageError."""
        fields = Fields(params, "elsewhere", "watched")
        return cls(fields.flag("elsewhere"), fields.flag("watched"))


def _level(fields: Fields, name: str) -> float:
    value = fields.anything(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 100:
        raise MessageError(name, "is no level")
    return float(value)


def _microphone(value: object) -> Mapping[str, object]:
    fields = Fields(value, "id", "label")
    return {"id": fields.text("id", empty=True), "label": fields.text("label")}

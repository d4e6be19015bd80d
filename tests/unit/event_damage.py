"""Server events as a broken service would send them, and any JSON at all, for Hypothesis."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from voicepilot.protocol.server_events import SERVER_EVENTS

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**63])  # more than any machine's number
    | st.floats()
    | st.text(),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4)
    ),
    max_leaves=12,
)


_INNER = ("type", "role", "status", "content", "usage", "output", "status_details", "call_id")


@st.composite
def damaged_events(draw: st.DrawFn) -> dict[str, Any]:
    """A known event whose fields hold anything."""
    kind = draw(st.sampled_from(sorted(SERVER_EVENTS)))
    names = [field.name for field in fields(SERVER_EVENTS[kind])]
    raw = draw(st.dictionaries(st.sampled_from(names), json_values))
    # Few names of items and responses, so that events meet what others have made.
    for name in ("item_id", "response_id", "previous_item_id", "call_id"):
        if name in names and draw(st.booleans()):
            raw[name] = draw(st.sampled_from("ab"))
    for name in ("item", "response"):
        if name in names and draw(st.booleans()):
            inner = draw(st.dictionaries(st.sampled_from(_INNER), json_values, max_size=4))
            raw[name] = inner | {"id": draw(st.sampled_from("ab"))}
    return raw | {"type": kind}

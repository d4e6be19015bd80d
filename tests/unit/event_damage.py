"""Server events as a broken service would send them, and any JSON at all, for Hypothesis."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from voicepilot.protocol.server_events import SERVER_EVENTS

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def damaged_events(draw: st.DrawFn) -> dict[str, Any]:
    """A known event whose fields hold anything."""
    kind = draw(st.sampled_from(sorted(SERVER_EVENTS)))
    names = [field.name for field in fields(SERVER_EVENTS[kind])]
    raw = draw(st.dictionaries(st.sampled_from(names), json_values))
    return raw | {"type": kind}

"""The call as state machines: connection, turns, responses, conversation, latency, usage.

Pure: events and `now` in, commands and a conversation to draw out. `Call` is the way in; `call.py` shows
its use.
"""

from .call import Call
from .commands import Command
from .phase import Phase

__all__ = ["Call", "Command", "Phase"]

"""How long has the assistant been heard? The clock of one answer's sound.

The service says when it begins to send an answer's sound and when all of it is sent; the page can cut it
off before. One answer sounds at a time.
"""

from __future__ import annotations


class Playout:
    """The sound of the present answer: whose it is, since when, and whether it was cut off here."""

    def __init__(self) -> None:
        self.response_id = ""
        self.silenced = False
        self._since: float | None = None

    @property
    def sounding(self) -> bool:
        """Whether the service is sending an answer's sound."""
        return self._since is not None

    def started(self, response_id: str, now: float) -> None:
        """The service begins to send the sound of `response_id`."""
        self.response_id, self._since, self.silenced = response_id, now, False

    def silence(self, now: float) -> float | None:
        """Cut the sound off here; return the milliseconds heard, None where nothing sounded."""
        if self._since is None or self.silenced:
            return None
        self.silenced = True
        return (now - self._since) * 1000

    def ended(self, now: float) -> float | None:
        """No more sound comes; return the milliseconds heard, None if it was cut off here before."""
        heard = None if self._since is None or self.silenced else (now - self._since) * 1000
        self._since = None
        return heard

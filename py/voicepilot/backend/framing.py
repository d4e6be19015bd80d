"""Where does one message on a stream of bytes end and the next begin?

The base protocol of the Language Server Protocol (specification 3.17, "Base Protocol"): header fields
in ASCII, of which `Content-Length` counts the bytes of the content, an empty line, the content in UTF-8.
"""

from __future__ import annotations

from typing import Final

MAX_CONTENT: Final = 8 << 20
"""Most bytes of one message: a whole frame of the bridge, however it had to be written."""

_MAX_HEADER: Final = 1024
_LENGTH: Final = b"content-length"


class FramingError(ValueError):
    """The stream is no sequence of messages; nothing after this can be understood."""


def frame(text: str) -> bytes:
    """The bytes of one message."""
    content = text.encode("utf-8")
    return b"Content-Length: %d\r\n\r\n%b" % (len(content), content)


class FrameReader:
    """Cuts what arrives into messages, in whatever pieces it arrives."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._length: int | None = None

    def feed(self, piece: bytes) -> list[str]:
        """The messages that are complete now. Raises FramingError."""
        self._bytes += piece
        found = []
        while (text := self._next()) is not None:
            found.append(text)
        return found

    def _next(self) -> str | None:
        if self._length is None and not self._take_header():
            return None
        length = self._length or 0
        if len(self._bytes) < length:
            return None
        content = bytes(self._bytes[:length])
        del self._bytes[:length]
        self._length = None
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FramingError("a message that is not UTF-8") from error

    def _take_header(self) -> bool:
        end = self._bytes.find(b"\r\n\r\n", 0, _MAX_HEADER)
        if end < 0:
            if len(self._bytes) >= _MAX_HEADER:
                raise FramingError(f"a header of more than {_MAX_HEADER} bytes")
            return False
        lengths = [
            value.strip()
            for name, _, value in (
                field.partition(b":") for field in bytes(self._bytes[:end]).split(b"\r\n")
            )
            if name.strip().lower() == _LENGTH
        ]
        if len(lengths) != 1 or not lengths[0].isdigit():
            raise FramingError("a header without one Content-Length")
        if int(lengths[0]) > MAX_CONTENT:
            raise FramingError(f"a message of more than {MAX_CONTENT} bytes")
        self._length = int(lengths[0])
        del self._bytes[: end + 4]
        return True

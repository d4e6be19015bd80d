"""Messages on a stream of bytes: in whatever pieces they come, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.backend.framing import MAX_CONTENT, FrameReader, FramingError, frame


@given(st.lists(st.text(max_size=40), max_size=6), st.integers(1, 30))
def test_messages_come_out_as_they_went_in_whatever_the_pieces(texts, size):
    stream = b"".join(map(frame, texts))
    reader = FrameReader()
    found = []
    for start in range(0, len(stream), size):
        found += reader.feed(stream[start : start + size])
    assert found == texts


def test_the_length_counts_bytes_and_other_fields_are_passed_over():
    content = "ä€".encode()
    head = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length: 5\r\n\r\n"
    assert FrameReader().feed(head + content) == ["ä€"]
    assert frame("ä€").startswith(b"Content-Length: 5\r\n\r\n")


@pytest.mark.parametrize(
    "stream",
    [
        b"Hello\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"Content-Length: %d\r\n\r\n" % (MAX_CONTENT + 1),
        b"x" * 2000,
        b"Content-Length: 1\r\n\r\n\xff",
    ],
)
def test_a_stream_that_is_no_sequence_of_messages_is_refused(stream):
    with pytest.raises(FramingError):
        FrameReader().feed(stream)

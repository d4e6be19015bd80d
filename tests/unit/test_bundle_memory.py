"""The file of what Python remembers: no zeros, nothing lost, one form."""

import itertools
import json
import struct

from hypothesis import given
from hypothesis import strategies as st

from voicepilot.bundle.memory import MAGIC, encode, length_in_common, nonzero_runs

PAGE = 4096

PAGES = st.lists(st.sampled_from([bytes(PAGE), b"x" * PAGE, bytes(PAGE - 1) + b"!"]), max_size=12)
"""Memories are whole pages; their last byte counts like any other."""


@given(PAGES)
def test_the_runs_and_zeros_between_them_are_the_memory(pages):
    memory = b"".join(pages)
    again = bytearray(len(memory))
    for offset, length in nonzero_runs(memory):
        again[offset : offset + length] = memory[offset : offset + length]
    assert again == memory


@given(PAGES, PAGES)
def test_what_the_machine_has_itself_is_left_out_from_the_beginning_on(unused, used):
    unused, used = b"".join(unused), b"".join(used)
    own = length_in_common(unused, used)
    assert own % PAGE == 0
    assert unused[:own] == used[:own]
    assert unused[own : own + PAGE] != used[own : own + PAGE] or own in (len(unused), len(used))
    assert all(offset >= own for offset, _ in nonzero_runs(used, own))


@given(PAGES)
def test_no_page_of_zeros_is_kept_and_neighbours_are_one_run(pages):
    memory = b"".join(pages)
    runs = list(nonzero_runs(memory))
    assert sum(length for _, length in runs) == PAGE * sum(any(page) for page in pages)
    assert all(end + length < start for (end, length), (start, _) in itertools.pairwise(runs))


def test_the_file_says_how_long_its_header_is():
    header = {"key": "k", "size": 8192, "runs": [[4096, 4]], "references": {"é": None}}
    file = encode(header, [b"abcd"])
    assert file.startswith(MAGIC)
    (length,) = struct.unpack_from("<I", file, len(MAGIC))
    start = len(MAGIC) + 4
    assert json.loads(file[start : start + length]) == header
    assert file[start + length :] == b"abcd"

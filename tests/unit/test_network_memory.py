"""Which networks are remembered, for how long, and what of them is written down."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from voicepilot.backend.network_memory import REMEMBERED_S, NetworkMemory, present_network


class World:
    """A clock, and a network that the computer is in."""

    def __init__(self, folder: Path) -> None:
        self.now, self.network = 1000.0, "home"
        self.file = folder / "state" / "networks.json"

    def memory(self) -> NetworkMemory:
        return NetworkMemory(self.file, clock=lambda: self.now, network=lambda: self.network)


def test_a_network_is_remembered_for_a_day_by_every_program(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert not world.memory().needs_fallback()
    world.memory().fell_back()
    assert world.memory().needs_fallback()
    world.now += REMEMBERED_S - 1
    assert world.memory().needs_fallback()
    world.now += 1
    assert not world.memory().needs_fallback()


def test_another_network_is_another_matter(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.memory().fell_back()
    world.network = "office"
    assert not world.memory().needs_fallback()
    world.memory().fell_back()
    world.network = "home"
    assert world.memory().needs_fallback()


def test_the_file_does_not_grow(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in range(100):
        world.network, world.now = f"n{number}", world.now + 1
        world.memory().fell_back()
    assert len(json.loads(world.file.read_text())) == 32
    assert world.memory().needs_fallback()


def test_a_broken_file_is_no_memory_and_is_replaced(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file.parent.mkdir()
    for content in (b"{", b"[]", b'{"home": "yesterday"}', b'{"home": 5e9}', b"\xff"):
        world.file.write_bytes(content)
        assert not world.memory().needs_fallback()
    world.memory().fell_back()
    assert world.memory().needs_fallback()


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    world = World(tmp_path)
    world.memory().fell_back()
    assert not world.memory().needs_fallback()


def test_the_name_of_a_network_stays_and_tells_nothing() -> None:
    name = present_network()
    assert name == present_network()
    assert set(name) <= set("0123456789abcdef")
    assert len(name) == 32
    assert socket.gethostname() not in name


def test_another_programs_unfinished_file_is_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file.parent.mkdir()
    (world.file.parent / "networks.new").mkdir()
    world.memory().fell_back()
    assert world.memory().needs_fallback()
    assert {each.name for each in world.file.parent.iterdir()} == {"networks.json", "networks.new"}

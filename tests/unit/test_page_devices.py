"""The picker's list, and the default that moves without a word."""

from __future__ import annotations

from voicepilot.page.devices import DEFAULT, Choice, Device, Microphones


def microphone(id: str, label: str, group: str = "g") -> Device:
    return Device(id, group, "audioinput", label)


CHROMIUM = [
    microphone("default", "Default - Headset (USB)", "usb"),
    microphone("communications", "Communications - Headset (USB)", "usb"),
    microphone("a1", "Headset (USB)", "usb"),
    microphone("b2", "Webcam", "cam"),
    Device("s1", "usb", "audiooutput", "Headset (USB)"),
]


def test_lists_each_microphone_once_behind_the_named_default() -> None:
    assert Microphones.among(CHROMIUM).choices == (
        Choice(DEFAULT, "System default (Headset (USB))"),
        Choice("a1", "Headset (USB)"),
        Choice("b2", "Webcam"),
    )


def test_before_permission_there_is_only_the_default() -> None:
    assert Microphones.among([microphone("", "", "")]).choices == (
        Choice(DEFAULT, "System default"),
    )


def test_a_microphone_without_a_name_gets_a_number() -> None:
    found = Microphones.among([microphone("x", ""), microphone("y", "Desk")])
    assert [choice.label for choice in found.choices[1:]] == ["Microphone 1", "Desk"]


def test_sees_that_the_default_is_another_device_now() -> None:
    before = Microphones.among(CHROMIUM)
    after = Microphones.among([microphone("default", "Default - Webcam", "cam"), *CHROMIUM[2:]])
    assert after.default_moved_since(before)
    assert not before.default_moved_since(before)


def test_a_browser_that_names_no_default_never_moves_it() -> None:
    nameless = Microphones.among([microphone("a1", "Headset")])
    assert not nameless.default_moved_since(Microphones.among(CHROMIUM))
    assert not Microphones.among(CHROMIUM).default_moved_since(nameless)


def test_offers_what_is_listed_and_always_the_default() -> None:
    found = Microphones.among(CHROMIUM)
    assert found.offers("b2")
    assert not found.offers("unplugged")
    assert Microphones().offers(DEFAULT)

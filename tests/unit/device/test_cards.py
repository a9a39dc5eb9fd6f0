"""Which card is meant, by name, USB serial or port, and in which ways it is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.cards import LOUDSPEAKER, Card, Opening, choose, openings
from device.errors import DeviceError
from device.usb import UsbCard, usb_cards


def card(name: str, index: int, inputs: int = 1, rate: float = 44_100.0, usb: UsbCard | None = None) -> Card:
    return Card(index, name, inputs, 2, rate, usb)


CARDS = [
    card("HDMI: 0 (hw:0,3)", 0, inputs=0),
    card("USB Mic: Audio (hw:1,0)", 1),
    card("usb mic", 2),
    card("USB", 3),
]
TWINS = [
    card("Stick: Audio (hw:2,0)", 0, usb=UsbCard(2, "Stick", "A1", "1-1")),
    card("Stick: Audio (hw:3,0)", 1, usb=UsbCard(3, "Stick", None, "1-2.4")),
]


@pytest.mark.parametrize(("name", "index"), [("USB Mic", 2), ("usb", 3), ("hw:1", 1), (None, 3)])
def test_a_microphone_is_chosen_by_name(name: str | None, index: int) -> None:
    assert choose(CARDS, 3, name).index == index


@pytest.mark.parametrize(("name", "index"), [("a1", 0), ("1-2.4", 1), ("1-1", 0)])
def test_of_two_alike_one_is_chosen_by_serial_or_port(name: str, index: int) -> None:
    assert choose(TWINS, -1, name).index == index


@pytest.mark.parametrize(
    ("cards", "name", "sentence"),
    [
        (CARDS, "HDMI", "there is no microphone called 'HDMI'; there are: 'USB Mic: Audio"),
        (CARDS, "mi", "2 microphones are called 'mi'; choose one by its USB serial or port, or give more of the name"),
        (CARDS, None, "the system has no default microphone"),
        (CARDS[:1], "USB", "there is no microphone; plug one in"),
        ([], None, "there is no microphone; plug one in"),
        (TWINS, "Stick", "2 microphones are called 'Stick'"),
    ],
)
def test_a_microphone_that_is_not_there_is_one_sentence(cards: list[Card], name: str | None, sentence: str) -> None:
    with pytest.raises(DeviceError) as caught:
        choose(cards, -1, name)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_two_alike_are_told_apart_in_the_sentence() -> None:
    with pytest.raises(DeviceError, match=r"'Stick: Audio \(hw:3,0\)' \(USB port 1-2\.4\)") as caught:
        choose(TWINS, -1, "Stick")
    assert "(USB serial A1, port 1-1)" in str(caught.value)


def test_a_loudspeaker_is_chosen_among_what_has_outputs() -> None:
    assert choose(CARDS, 0, None, LOUDSPEAKER).name.startswith("HDMI")
    mute = [Card(0, "Mic", 1, 0, 16_000.0)]
    with pytest.raises(
        DeviceError, match=r"there is no loudspeaker; plug one in, or go without: audio\.loudspeaker=off"
    ):
        choose(mute, 0, None, LOUDSPEAKER)


def test_16_khz_mono_is_tried_first_then_what_the_microphone_likes_then_other_formats() -> None:
    ways = openings(card("array", 0, inputs=6, rate=96_000.0), channel=0)
    assert ways[:3] == [Opening(16_000, 1), Opening(16_000, 2), Opening(16_000, 6)]
    assert list(dict.fromkeys(way.rate for way in ways)) == [16_000, 96_000, 48_000, 44_100]
    assert list(dict.fromkeys(way.form for way in ways)) == ["int16", "int32", "float32", "int24"]
    assert {way.channels for way in openings(card("array", 0, inputs=6), channel=2)} == {3, 6}
    assert {way.channels for way in openings(card("array", 0, inputs=6), channel=None)} == {6}
    with pytest.raises(DeviceError, match="has 6 channels and no channel 6"):
        openings(card("array", 0, inputs=6), channel=6)


# ---- what /sys says ----


def stick(root: Path, number: int, port: str, serial: str | None, product: str | None = "USB PnP Sound") -> None:
    """A folder tree as Linux has it: the card's device is the first interface of the stick."""
    device = root / "devices" / "pci0" / "usb1" / port
    interface = device / f"{port}:1.0"
    (interface / "sound" / f"card{number}").mkdir(parents=True)
    (interface / "sound" / f"card{number}" / "device").symlink_to(interface)
    texts = {"idVendor": "0d8c", "idProduct": "0014", "serial": serial, "product": product}
    for name, text in texts.items():
        if text is not None:
            (device / name).write_text(text + "\n")
    (root / "class" / "sound").mkdir(parents=True, exist_ok=True)
    (root / "class" / "sound" / f"card{number}").symlink_to(interface / "sound" / f"card{number}")


def test_sticks_are_read_from_sys_and_other_cards_are_none(tmp_path: Path) -> None:
    stick(tmp_path, 1, "1-1", "2019-08")
    stick(tmp_path, 2, "1-1.3", None, None)
    onboard = tmp_path / "devices" / "pci0" / "sound" / "card0"
    onboard.mkdir(parents=True)
    (tmp_path / "class" / "sound" / "card0").symlink_to(onboard)
    (tmp_path / "class" / "sound" / "controlC1").mkdir()
    assert usb_cards(tmp_path) == {
        1: UsbCard(1, "USB PnP Sound", "2019-08", "1-1"),
        2: UsbCard(2, "0d8c:0014", None, "1-1.3"),
    }
    assert usb_cards(tmp_path / "nowhere") == {}


def test_a_card_knows_its_stick_by_the_number_in_its_name(tmp_path: Path) -> None:
    stick(tmp_path, 1, "1-1", "2019-08")
    facts = {"index": 4, "max_input_channels": 1, "max_output_channels": 0, "default_samplerate": 48_000.0}
    sticks = usb_cards(tmp_path)
    assert Card.of({**facts, "name": "USB PnP Sound: Audio (hw:1,0)"}, sticks).usb == sticks[1]
    assert Card.of({**facts, "name": "USB PnP Sound: Audio (hw:11,0)"}, sticks).usb is None
    assert Card.of({**facts, "name": "pulse"}, sticks).usb is None

"""Which sound card is which USB stick, from Linux's /sys: a name that stays while card numbers move between boots."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys")
_CARD = re.compile(r"card(\d+)")
_UP = 4
"""A card's device is an interface of the stick, which stands above it, or above that."""


@dataclass(frozen=True)
class UsbCard:
    """One USB sound card."""

    card: int
    """ALSA's number, as in hw:1,0; another one after the next boot."""
    product: str
    """As the stick calls itself, or vendor and product number."""
    serial: str | None
    """Many cheap sticks have none."""
    port: str
    """Where it is plugged in, such as 1-1.2: bus and port of each hub on the way."""


def usb_cards(root: Path = SYS) -> dict[int, UsbCard]:
    """Every USB sound card by ALSA's number; none where there is no /sys."""
    found = {}
    for folder in sorted((root / "class" / "sound").glob("card*")):
        number = _CARD.fullmatch(folder.name)
        card = number and _usb(int(number[1]), folder)
        if card:
            found[card.card] = card
    return found


def _usb(number: int, folder: Path) -> UsbCard | None:
    place = (folder / "device").resolve()
    for above in (place, *list(place.parents)[:_UP]):
        if (above / "idVendor").is_file():
            ids = f"{_text(above / 'idVendor')}:{_text(above / 'idProduct')}"
            return UsbCard(number, _text(above / "product") or ids, _text(above / "serial"), above.name)
    return None


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8", errors="replace").strip() or None
    except OSError:  # pulled out meanwhile, or the stick has no such word
        return None

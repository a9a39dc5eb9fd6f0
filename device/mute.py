"""Who holds the microphone off: the hand nearest to the device wins."""

from __future__ import annotations

from enum import StrEnum

from device.orders import Refused


class Hand(StrEnum):
    """Whose hand is at the switch, the farthest first."""

    FAR_END = "far_end"
    HOME = "home"
    """What runs in the same home, such as Home Assistant."""
    BUTTON = "button"
    """On the device itself."""


_NEARNESS = {hand: nearness for nearness, hand in enumerate(Hand)}
_WHAT = {
    Hand.FAR_END: "the far end",
    Hand.HOME: "the home",
    Hand.BUTTON: "the button on the device",
}


def switched(holder: Hand | None, muted: bool | None, by: Hand) -> Hand | None:
    """Give who holds the microphone off after a hand switched it off (True), on (False) or the other way (None).

    `holder` is who does now, None while it is on. What one hand switched off, only that hand or a nearer one switches
    on: a far end cannot undo a button. Raises `orders.Refused`.
    """
    nearer = holder is None or _NEARNESS[by] > _NEARNESS[holder]
    if muted or (muted is None and holder is None):
        return by if nearer else holder
    if holder is not None and not nearer and by is not holder:
        raise Refused(f"{_WHAT[holder]} holds the microphone off")
    return None

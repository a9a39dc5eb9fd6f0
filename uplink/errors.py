"""What can go wrong between a clip on the device and a receipt from the far end."""

from __future__ import annotations

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "malformed", "unknown device", "unknown far end", "wrong key", "broken seal", "bad signature", "replayed"
]
"""Why a message is refused, in a word that can be counted."""


class UplinkError(Exception):
    """Base of every error of this package; its text is one sentence that names the thing and the mend."""

    exit_code = 1


class MessageError(UplinkError):
    """A message that is not what the wire allows; the text says what is wrong with it."""

    def __init__(self, text: str, reason: Reason = "malformed") -> None:
        super().__init__(text)
        self.reason = reason


class KeysError(UplinkError):
    """A key that is not there, or cannot be used as it is."""

    exit_code = 2


class SpoolError(UplinkError):
    """A spool that cannot be opened, read or written."""


class LinkError(UplinkError):
    """A broker that is not there, refuses, or does not answer in time."""


class AddressError(LinkError):
    """A broker address that cannot be used as it is written."""

    exit_code = 2

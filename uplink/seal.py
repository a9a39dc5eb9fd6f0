"""How the body of a message is protected on its way; for now, not at all."""

from __future__ import annotations

from typing import Protocol


class Seal(Protocol):
    """Protects bodies and vouches for headers; one object serves both directions of one end of the wire.

    The header is handed in so that a signature can cover it; the signature travels in the sealed body.
    """

    @property
    def name(self) -> str:
        """What the header field ``seal`` says; a message with another name is refused."""

    def close(self, header: bytes, body: bytes) -> bytes:
        """Give what goes on the wire for this body under this header."""

    def open(self, header: bytes, sealed: bytes) -> bytes:
        """Give the body back; raises MessageError for what this seal did not close."""


class Plain:
    """The seal that leaves every body as it is."""

    name = "none"

    def close(self, header: bytes, body: bytes) -> bytes:  # noqa: ARG002 - the header matters to other seals
        """Give the body as it is."""
        return body

    def open(self, header: bytes, sealed: bytes) -> bytes:  # noqa: ARG002
        """Give the body as it is."""
        return sealed


PLAIN = Plain()

"""What the far end signs for others to check: with its own key, each kind of thing apart from all others."""

from __future__ import annotations

from dataclasses import dataclass

from uplink.keyring import Keyring
from uplink.keys import SIGNATURE_BYTES, PublicKey


@dataclass(frozen=True)
class Signer:
    """Signs with the newest key in the far end's ring, and checks with every key that was ever its own."""

    keys: Keyring

    @classmethod
    def of(cls, keys: Keyring) -> Signer:
        """Take the far end's keys; one that has none yet gets one. Raises KeysError."""
        if not keys.has_key:
            keys.make()
        return cls(keys)

    def sign(self, kind: str, content: bytes) -> str:
        """Give a signature as text: the fingerprint of the key, a colon, and 128 hexadecimal digits."""
        own = self.keys.own()
        return f"{own.fingerprint}:{own.sign(_signed(kind, content)).hex()}"

    def verify(self, kind: str, content: bytes, signature: str) -> bool:
        """Whether this far end signed exactly this."""
        own = self.keys.own_of(signature.partition(":")[0])
        return own is not None and verify(own.public, kind, content, signature)


def verify(key: PublicKey, kind: str, content: bytes, signature: str) -> bool:
    """Whether the owner of a key, which anybody may have, signed exactly this."""
    fingerprint, _, digits = signature.partition(":")
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        return False
    return fingerprint == key.fingerprint and len(raw) == SIGNATURE_BYTES and key.verify(raw, _signed(kind, content))


def _signed(kind: str, content: bytes) -> bytes:
    return b"misheard/v1/%s\0%s" % (kind.encode(), content)

"""How messages are protected: signed by who sends them, and sealed to who may read them.

`docs/protocol.md` has the exact bytes. One `Seal` serves both directions of one end of the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from uplink.errors import KeysError, MessageError, Reason
from uplink.keyring import FAR_END, Keyring
from uplink.keys import SIGNATURE_BYTES, PrivateKey, PublicKey

SEALED = "box1"
SIGNED = "sign1"
"""What the header field ``seal`` says: of a message with a sealed body, and of one that all may read."""
_DOMAIN = b"misheard/v1/"


@dataclass(frozen=True)
class Opened:
    """The content of a message, and the fingerprint of the key that signed it."""

    content: bytes
    signer: str


class Seal:
    """Closes what one end sends and opens what it receives, by the keys in its ring; for any number of threads.

    Devices are named by the device of the topic, on both ends. Every method raises MessageError, and nothing else,
    where the keys for it are missing or cannot be used.
    """

    def __init__(self, keys: Keyring) -> None:
        self.keys = keys
        self._met: dict[str, str] = {}  # by device: the fingerprint of our key that it last sealed to

    def receiver(self, device: str) -> PublicKey:
        """Give the key to which to seal; raises MessageError where nobody is trusted as the other end."""
        peer = self._peer(device)
        with _translated():
            key = self.keys.trusted(peer)
        if key is None:
            raise MessageError(
                f"no key of {peer} is trusted here; to change that: misheard keys trust {self.keys.side} {peer}.pub",
                self._stranger,
            )
        return key

    def close(self, kind: str, device: str, header: bytes, content: bytes, receiver: PublicKey) -> bytes:
        """Sign header and content, and give the sealed body."""
        signature = self._signer(device).sign(_signed(kind, header, receiver.raw, content))
        return receiver.seal(signature + content)

    def open(self, kind: str, device: str, key: str, header: bytes, body: bytes) -> Opened:
        """Give content and signer of a body that is sealed to our key of this fingerprint; raises MessageError."""
        with _translated():
            own = self.keys.own_of(key)
        if own is None:
            raise MessageError(f"it is sealed to the key {key}, which this end never had, or forgot", "wrong key")
        newest = self.receiver(device)
        box = own.open(body)
        if box is None or len(box) < SIGNATURE_BYTES:
            raise MessageError("what is sealed in it was damaged or changed", "broken seal")
        signature, content = box[:SIGNATURE_BYTES], box[SIGNATURE_BYTES:]
        signer = self._verified(device, newest, signature, _signed(kind, header, own.public.raw, content))
        self._meet(device, key)
        return Opened(content, signer)

    def sign(self, kind: str, device: str, header: bytes) -> bytes:
        """Give the signature under a header that all may read."""
        return self._signer(device).sign(_signed(kind, header, b"", b""))

    def verify(self, kind: str, device: str, key: str, header: bytes, signature: bytes) -> str:
        """Give the signer of such a header, whose field ``key`` is this; raises MessageError."""
        newest = self.receiver(device)
        if len(signature) != SIGNATURE_BYTES:
            raise MessageError(f"{len(signature)} bytes stand where a signature must be", "bad signature")
        signer = self._verified(device, newest, signature, _signed(kind, header, b"", b""))
        self._meet(device, key)
        return signer

    def _verified(self, device: str, newest: PublicKey, signature: bytes, content: bytes) -> str:
        if newest.verify(signature, content):
            return newest.fingerprint
        with _translated():
            for key in self.keys.all_trusted(self._peer(device)):
                if key.verify(signature, content):
                    return key.fingerprint
        raise MessageError(f"it is not signed by {self._peer(device)}", "bad signature")

    def _signer(self, device: str) -> PrivateKey:
        """Give the newest of our keys that the other end is known to trust: it may not have heard of a new one yet."""
        with _translated():
            own = self.keys.own()
            met = self._met.get(device, own.fingerprint)
            return own if met == own.fingerprint else self.keys.own_of(met) or own

    def _meet(self, device: str, key: str) -> None:
        if self._met.get(device) == key:
            return
        with _translated():
            if self.keys.side == "far-end" and self._met.get(device) != self.keys.own().fingerprint:
                self._met[device] = key

    def _peer(self, device: str) -> str:
        return FAR_END if self.keys.side == "device" else device

    @property
    def _stranger(self) -> Reason:
        return "unknown far end" if self.keys.side == "device" else "unknown device"


@contextmanager
def _translated() -> Iterator[None]:
    """A key that cannot be used now costs the message at hand, not the program."""
    try:
        yield
    except KeysError as error:
        raise MessageError(str(error), "wrong key") from None


def _signed(kind: str, header: bytes, receiver: bytes, content: bytes) -> bytes:
    """Give the bytes under a signature: what for, the header as it is on the wire, for whom, and the content.

    JSON has no zero byte, so nothing can pass from one of them into the other.
    """
    return b"%s%s\0%s\0%s%s" % (_DOMAIN, kind.encode(), header, receiver, content)

"""Keys: who signs, and whom one seals to. The only file that knows libsodium (PyNaCl).

One Ed25519 identity does both: it signs as it is, and opens what is sealed to it in its X25519 form.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nacl import bindings
from nacl.exceptions import CryptoError

from uplink.errors import KeysError

SIGNATURE_BYTES = bindings.crypto_sign_BYTES
BOX_BYTES = bindings.crypto_box_SEALBYTES
"""How much longer than its content a sealed box is."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""Whose key it is: a device's name, or ``far-end``."""
_KEY = re.compile(r"[0-9a-f]{64}")
_LARGEST_FILE = 1024


@dataclass(frozen=True)
class PublicKey:
    """What others may know of a key: with it they seal to its owner, and check the owner's signatures."""

    name: str
    raw: bytes

    def __post_init__(self) -> None:
        """Raise KeysError for 32 bytes that are no key."""
        try:
            _ = self._box
        except (CryptoError, ValueError, TypeError):
            raise KeysError(f"the public key of {self.name} is none; have it written out again") from None

    @cached_property
    def fingerprint(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @cached_property
    def _box(self) -> bytes:
        return bytes(bindings.crypto_sign_ed25519_pk_to_curve25519(self.raw))

    def seal(self, content: bytes) -> bytes:
        """Close a box that the owner of this key alone can open; from nobody, and different every time."""
        return bytes(bindings.crypto_box_seal(content, self._box))

    def verify(self, signature: bytes, content: bytes) -> bool:
        """Whether the owner of this key signed exactly this."""
        try:
            bindings.crypto_sign_open(signature + content, self.raw)
        except (CryptoError, ValueError):
            return False
        return True

    def save(self, path: Path) -> None:
        """Write it as one line that may be shown to anybody."""
        _write(path, {"name": self.name, "public": self.raw.hex()}, 0o644)

    @classmethod
    def load(cls, path: Path) -> PublicKey:
        """Read it; raises KeysError."""
        name, raw = _read(path, "public")
        return cls(name, raw)


@dataclass(frozen=True)
class PrivateKey:
    """One end's identity; its text never shows the secret."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def make(cls, name: str) -> PrivateKey:
        """Make a new one."""
        return cls(name, secrets.token_bytes(bindings.crypto_sign_SEEDBYTES))

    @cached_property
    def _pair(self) -> tuple[bytes, bytes]:
        public, secret = bindings.crypto_sign_seed_keypair(self.seed)
        return bytes(public), bytes(secret)

    @cached_property
    def _box(self) -> bytes:
        return bytes(bindings.crypto_sign_ed25519_sk_to_curve25519(self._pair[1]))

    @cached_property
    def public(self) -> PublicKey:
        """What others may know of it."""
        return PublicKey(self.name, self._pair[0])

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its public key."""
        return self.public.fingerprint

    def sign(self, content: bytes) -> bytes:
        """Give the 64 bytes that prove that the owner of this key said this."""
        return bytes(bindings.crypto_sign(content, self._pair[1])[:SIGNATURE_BYTES])

    def open(self, box: bytes) -> bytes | None:
        """Give what was sealed to this key; None for what was not, or was changed since."""
        try:
            return bytes(bindings.crypto_box_seal_open(box, self.public._box, self._box))
        except (CryptoError, ValueError, TypeError):
            return None

    def save(self, path: Path) -> None:
        """Write it, durably, for its owner alone (mode 600)."""
        _write(path, {"name": self.name, "secret": self.seed.hex()}, 0o600)

    @classmethod
    def load(cls, path: Path) -> PrivateKey:
        """Read it; raises KeysError, also where others could have read it."""
        for place, mode in ((path.parent, "700"), (path, "600")):
            with suppress(FileNotFoundError):
                if stat.S_IMODE(place.stat().st_mode) & 0o077:
                    raise KeysError(f"{place} is open to others; close it with: chmod {mode} {place}")
        name, seed = _read(path, "secret")
        return cls(name, seed)


@dataclass(frozen=True)
class BoxKey:
    """A secret that closes what lies at rest, and opens it again; its text never shows it."""

    raw: bytes = field(repr=False)

    @classmethod
    def make(cls) -> BoxKey:
        """Make a new one, of 32 bytes."""
        return cls(secrets.token_bytes(bindings.crypto_secretbox_KEYBYTES))

    def close(self, content: bytes) -> bytes:
        """Give content that nobody can read or change without this key; different every time."""
        nonce = secrets.token_bytes(bindings.crypto_secretbox_NONCEBYTES)
        return nonce + bytes(bindings.crypto_secretbox(content, nonce, self.raw))

    def open(self, box: bytes) -> bytes | None:
        """Give what was closed with this key; None for what was not, or was changed since."""
        size = bindings.crypto_secretbox_NONCEBYTES
        try:
            return bytes(bindings.crypto_secretbox_open(box[size:], box[:size], self.raw))
        except (CryptoError, ValueError, TypeError):
            return None


def _write(path: Path, content: dict[str, str], mode: int) -> None:
    """Write a file so that it is there whole or not at all, also when the power goes."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        for folder in reversed([path.parent, *path.parent.parents]):
            folder.mkdir(exist_ok=True, mode=0o700)  # one by one, or only the last would be closed to others
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w") as file:
            file.write(json.dumps(content) + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        name = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(name)
        finally:
            os.close(name)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise KeysError(f"the key {path} cannot be written ({error.strerror}); check folder and disk") from None


def _read(path: Path, what: str) -> tuple[str, bytes]:
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_LARGEST_FILE).decode())
    except OSError as error:
        raise KeysError(f"the key {path} cannot be read ({error.strerror}); check the file") from None
    except (ValueError, RecursionError):
        content = None
    name, value = (content.get("name"), content.get(what)) if isinstance(content, dict) else (None, None)
    if not (isinstance(name, str) and NAME.fullmatch(name) and isinstance(value, str) and _KEY.fullmatch(value)):
        raise KeysError(f"the {what} key {path} is damaged; bring it back from a copy, or move it away for a new one")
    return name, bytes.fromhex(value)

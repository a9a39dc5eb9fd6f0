"""The folder in which one end of the wire keeps its own key and those it trusts.

A device: ``device.key``, ``far-end.pub``. A far end: ``far-end.key``, ``devices/<device>.pub``. Both: ``<name>.pub``,
the own key to be handed out, and ``old/`` for those that were replaced: they open and verify until they are forgotten.

Files are looked at whenever a key is asked for, so what `misheard keys` changes holds at once in a running program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from uplink.errors import KeysError
from uplink.keys import NAME, PrivateKey, PublicKey

Side: TypeAlias = Literal["device", "far-end"]
FAR_END = "far-end"
_Key = TypeVar("_Key", PrivateKey, PublicKey)
_Stamp: TypeAlias = tuple[int, int, int]


@dataclass
class Keyring:
    """The keys of a device, or of a far end; `name` is the device's, or ``far-end``."""

    folder: Path
    side: Side
    name: str
    _seen: dict[Path, tuple[_Stamp, PrivateKey | PublicKey]] = field(default_factory=dict, repr=False)

    @classmethod
    def of_device(cls, state: Path, name: str) -> Keyring:
        """The keys of the device of this name whose state directory this is; raises KeysError for a name that is none.

        Nothing is read, or made, before it is asked for.
        """
        if name == FAR_END or not NAME.fullmatch(name):
            raise KeysError(f"{name!r} cannot be a device's name; use lower-case letters, digits and hyphens")
        return cls(state / name / "keys", "device", name)

    @classmethod
    def of_far_end(cls, store: Path) -> Keyring:
        """The keys of the far end whose store this is."""
        return cls(store / "keys", "far-end", FAR_END)

    def own(self) -> PrivateKey:
        """Give this end's own key; raises KeysError where there is none yet."""
        key = self._look(self._own, PrivateKey.load)
        if key is None:
            raise KeysError(f"there is no key in {self.folder}; make one with: misheard keys new {self.side}")
        return key

    def own_of(self, fingerprint: str) -> PrivateKey | None:
        """Give this end's own key with this fingerprint, also an old one; None where it has none, or forgot it."""
        key = self.own()
        if key.fingerprint == fingerprint:
            return key
        return self._look(self.folder / "old" / f"{Path(fingerprint).name}.key", PrivateKey.load)

    def trusted(self, peer: str) -> PublicKey | None:
        """Give the newest key that is trusted as this device's, or this far end's; None where none is."""
        return self._look(self._peer(peer), PublicKey.load)

    def all_trusted(self, peer: str) -> Iterator[PublicKey]:
        """Give every key that is trusted as this one's, the newest first."""
        newest = self.trusted(peer)
        if newest is None:
            return  # whoever was forgotten is not known by an old key either
        yield newest
        for path in sorted((self.folder / "old").glob(f"{peer}.*.pub")):
            old = self._look(path, PublicKey.load)
            if old is not None:
                yield old

    def peers(self) -> list[str]:
        """Give the names of those who are trusted, in order."""
        if self.side == "device":
            return [FAR_END] if self._peer(FAR_END).exists() else []
        return sorted(path.stem for path in self._devices.glob("*.pub"))

    def old(self) -> list[PrivateKey]:
        """Give this end's own keys that were replaced and not yet forgotten."""
        found = (self._look(path, PrivateKey.load) for path in sorted((self.folder / "old").glob("*.key")))
        return [key for key in found if key is not None]

    def make(self) -> PrivateKey:
        """Make this end's own key; raises KeysError where it has one."""
        if self.has_key:
            raise KeysError(f"there is a key in {self.folder} already; replace it: misheard keys rotate {self.side}")
        return self._set_own(PrivateKey.make(self.name))

    def rotate(self) -> PrivateKey:
        """Replace this end's own key; the one before still opens what was sealed to it."""
        before = self.own()
        before.save(self.folder / "old" / f"{before.fingerprint}.key")
        return self._set_own(PrivateKey.make(self.name))

    def trust(self, key: PublicKey) -> None:
        """Trust a key as the newest of its owner; the one before is good until it is forgotten."""
        if (key.name == FAR_END) == (self.side == "far-end"):
            raise KeysError(f"the key of {key.name} is not for a {self.side} to trust; a device and a far end pair up")
        before = self.trusted(key.name)
        if before is not None and before != key:
            before.save(self._old_peer(before))
        key.save(self._peer(key.name))
        self._old_peer(key).unlink(missing_ok=True)

    def forget(self, what: str) -> int:
        """Forget an old key by its fingerprint, or whom it trusts by name, with all his keys; gives how many went."""
        old = self.folder / "old"
        found = [*old.glob(f"{what}.key"), *old.glob(f"*.{what}.pub")] if what.isalnum() else []
        if what in self.peers():
            found += [self._peer(what), *old.glob(f"{what}.*.pub")]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    @property
    def has_key(self) -> bool:
        """Whether this end has a key of its own."""
        return self._own.exists()

    @property
    def public_file(self) -> Path:
        """Where this end's own public key lies, to be handed to the other end."""
        return self.folder / f"{self.name}.pub"

    @cached_property
    def _own(self) -> Path:
        return self.folder / f"{self.side}.key"

    def _peer(self, name: str) -> Path:
        return _public_file(self.folder if self.side == "device" else self._devices, name)

    @cached_property
    def _devices(self) -> Path:
        return self.folder / "devices"

    def _old_peer(self, key: PublicKey) -> Path:
        return self.folder / "old" / f"{key.name}.{key.fingerprint}.pub"

    def _set_own(self, key: PrivateKey) -> PrivateKey:
        key.save(self._own)
        key.public.save(self.public_file)
        return key

    def _look(self, path: Path, load: Callable[[Path], _Key]) -> _Key | None:
        """Give the key in a file, which is read again only when it has changed."""
        try:
            found = path.stat()
        except FileNotFoundError:
            self._seen.pop(path, None)
            return None
        except OSError as error:
            raise KeysError(f"the key {path} cannot be read ({error.strerror}); check the folder") from None
        stamp = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        known = self._seen.get(path)
        if known is None or known[0] != stamp:
            known = self._seen[path] = (stamp, load(path))
        return known[1]  # type: ignore[return-value] # a path's suffix says which of the two it holds


@lru_cache(4096)
def _public_file(folder: Path, name: str) -> Path:
    """Give the path, which costs more to put together than to look at, and that is done for every message."""
    return folder / f"{name}.pub"


def introduce(device: Keyring, far_end: Keyring) -> None:
    """Let a device and a far end of one program know each other; each gets a key where it has none.

    Raises KeysError where the device trusts another far end: what it hears must not go elsewhere unasked.
    """
    for ring in (device, far_end):
        if not ring.has_key:
            ring.make()
    trusted, theirs = device.trusted(FAR_END), far_end.own().public
    if trusted is not None and far_end.own_of(trusted.fingerprint) is None:
        raise KeysError(
            f"{device.name} trusts another far end than the one in this program; name its broker with --broker, "
            "or start afresh with another --state"
        )
    if trusted != theirs:
        device.trust(theirs)
    mine = device.own().public
    if far_end.trusted(device.name) != mine:
        far_end.trust(mine)

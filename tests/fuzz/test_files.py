"""Whatever the disk makes of keys, certificates and spools."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fuzz.conftest import Hunt, one_sentence
from tests.fuzz.mutation import spoil
from tests.spool_kit import Row, content, fill, row
from uplink import database
from uplink.address import Access, Address
from uplink.authority import Authority
from uplink.errors import AddressError, KeysError, SpoolError
from uplink.keys import PrivateKey, PublicKey
from uplink.spool import Spool
from uplink.tls import client_context


@pytest.mark.parametrize("kind", [PublicKey, PrivateKey])
def test_a_key(hunt: Hunt[bytes], fast_folder: Path, kind: type[PublicKey] | type[PrivateKey]) -> None:
    fast_folder.chmod(0o700)
    path = fast_folder / "a.key"
    private = PrivateKey("dot", bytes(range(32)))
    (private if kind is PrivateKey else private.public).save(path)
    whole = path.read_bytes()

    def read(data: bytes) -> str:
        path.write_bytes(data)
        try:
            kind.load(path)
        except KeysError as error:
            one_sentence(error)
            return "refused"
        return "read"

    assert read(whole) == "read"
    hunt(f"file of a {'private' if kind is PrivateKey else 'public'} key", lambda c: spoil(c, whole), read)


def test_a_certificate(hunt: Hunt[bytes], fast_folder: Path) -> None:
    authority, now = Authority(fast_folder), datetime.now(UTC)
    authority.new(now)
    authority.issue("dot", now)
    whole = (fast_folder / "dot.crt").read_bytes() + (fast_folder / "dot.key").read_bytes()
    path = fast_folder / "spoilt.pem"
    address = Address.parse("mqtts://broker.example:8883")

    def read(data: bytes) -> str:
        path.write_bytes(data)
        try:
            client_context(Access(ca_file=path, certificate_file=path, key_file=path), address)
        except AddressError as error:
            one_sentence(error)
            return "refused"
        return "read"

    hunt("file of a certificate", lambda chance: spoil(chance, whole), read)


@pytest.fixture
def spool_file(fast_folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Row]]:
    """A spool that was closed, and what is in it."""
    monkeypatch.setattr(database, "RESERVE_BYTES", 4096)
    path = fast_folder / "spool.sqlite"
    spool = Spool(path)
    rows = fill(spool, 4, 3, 600)
    spool.remember("serial", "7")
    spool.close()
    return path, rows


def test_a_spool(hunt: Hunt[bytes], spool_file: tuple[Path, list[Row]]) -> None:
    path, rows = spool_file
    whole = path.read_bytes()

    def read(data: bytes) -> str:
        return open_spoilt(path, rows, {path.name: data})

    assert read(whole) == "as it was"
    hunt("file of a spool", lambda chance: spoil(chance, whole), read)


def test_the_log_of_a_spool_that_was_killed(hunt: Hunt[bytes], spool_file: tuple[Path, list[Row]]) -> None:
    path, rows = spool_file
    spool = Spool(path)
    for number in range(3):
        one = row("dot-20260101t000000000000z-000000000099", number, 600)
        spool.put(*one, last=number == 2)
        rows.append(one)
    log = path.with_name(f"{path.name}-wal")
    file, whole = path.read_bytes(), log.read_bytes()  # as they are when the program is killed now
    spool.close()

    def read(data: bytes) -> str:
        return open_spoilt(path, rows, {path.name: file, log.name: data})

    assert read(whole) == "as it was"
    hunt("log of a spool", lambda chance: spoil(chance, whole), read)


def open_spoilt(path: Path, rows: list[Row], files: dict[str, bytes]) -> str:
    """Open a spool of these files in a folder that has nothing else; what became of it."""
    for old in path.parent.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    for name, data in files.items():
        (path.parent / name).write_bytes(data)
    told: list[str] = []
    try:
        spool = Spool(path, on_fact=lambda kind, _facts: told.append(kind))
    except SpoolError as error:
        one_sentence(error)
        return "refused"
    try:
        here = content(spool)
        assert all(one in rows for one in here), "what nobody has put there"
        assert spool.put(*row("dot-20260101t000000000000z-000000000777", 0))
    finally:
        spool.close()
    if "spool_rescued" in told:
        return "rescued, and told"
    return "as it was" if here == rows else "some parts gone"

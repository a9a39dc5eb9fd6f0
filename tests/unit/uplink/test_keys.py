"""Keys on the disk: who may read them, what replaces them, and what holds at once in a running program."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sim.main import main
from tests.uplink_kit import Keys
from uplink.errors import KeysError
from uplink.keyring import FAR_END, Keyring, introduce
from uplink.keys import PrivateKey, PublicKey


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


def test_a_key_opens_and_verifies_what_is_its_own_and_nothing_else() -> None:
    mine, other = PrivateKey.make("dot"), PrivateKey.make("dot")
    box = mine.public.seal(b"heard")
    assert mine.open(box) == b"heard"
    assert other.open(box) is None
    assert mine.open(box[:-1]) is None
    assert mine.open(b"") is None
    signature = mine.sign(b"said")
    assert mine.public.verify(signature, b"said")
    assert not mine.public.verify(signature, b"sad")
    assert not other.public.verify(signature, b"said")
    assert not mine.public.verify(b"", b"said")


def test_the_secret_is_in_no_text() -> None:
    key = PrivateKey.make("dot")
    assert key.seed.hex() not in repr(key)
    assert str(key.seed) not in repr(key)


def test_keys_are_for_their_owner_alone(keys: Keys) -> None:
    for ring in (keys.device_ring, keys.far_end_ring):
        assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((ring.folder / f"{ring.side}.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((keys.folder / "dot").stat().st_mode) == 0o700, "the spool lies there too"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_could_read_is_refused_with_the_mend(keys: Keys, mode: int) -> None:
    path = keys.device_ring.folder / "device.key"
    path.chmod(mode)
    with pytest.raises(KeysError, match=rf"is open to others; close it with: chmod 600 {path}"):
        keys.device_ring.own()
    path.chmod(0o600)
    path.parent.chmod(0o750)
    with pytest.raises(KeysError, match=rf"close it with: chmod 700 {path.parent}"):
        Keyring.of_device(keys.folder, "dot").own()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[" * 500,
        b"[]",
        b"{}",
        b'{"name":"dot"}',
        b'{"name":"dot","secret":7,"public":7}',
        b'{"name":"dot","secret":"' + b"0" * 63 + b'","public":"' + b"0" * 63 + b'"}',
        b'{"name":"../dot","secret":"' + b"0" * 64 + b'","public":"' + b"0" * 64 + b'"}',
        b'{"name":"dot","secret":"' + b"0" * 4000 + b'"}',
    ],
)
def test_a_damaged_key_is_one_sentence(keys: Keys, content: bytes) -> None:
    for path, look in (
        (keys.device_ring.folder / "device.key", keys.device_ring.own),
        (keys.device_ring.folder / "far-end.pub", lambda: keys.device_ring.trusted(FAR_END)),
    ):
        path.write_bytes(content)
        with pytest.raises(KeysError, match=r"key .* is damaged; bring it back from a copy, or move it away"):
            look()


def test_a_public_key_that_is_no_point_of_the_curve_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "far-end.pub"
    for raw in ("00" * 32, "01" + "00" * 31, "ff" * 32):  # of low order, or no point at all
        path.write_text(json.dumps({"name": "far-end", "public": raw}))
        with pytest.raises(KeysError, match="the public key of far-end is none"):
            PublicKey.load(path)


def test_what_cannot_be_read_or_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"there is no key in .*; make one with: misheard keys new device"):
        Keyring.of_device(tmp_path, "dot").own()
    with pytest.raises(KeysError, match="cannot be read"):
        PublicKey.load(tmp_path / "far-end.pub")
    (tmp_path / "flex").write_text("")
    with pytest.raises(KeysError, match="cannot be written"):
        Keyring.of_device(tmp_path, "flex").make()
    for name in ("Dot", "../dot", "", "far-end"):
        with pytest.raises(KeysError, match="cannot be a device's name"):
            Keyring.of_device(tmp_path, name)


def test_an_old_key_opens_until_it_is_forgotten(keys: Keys) -> None:
    ring = keys.far_end_ring
    old = ring.own()
    new = ring.rotate()
    assert ring.own() == new != old
    assert ring.own_of(old.fingerprint) == old
    assert ring.old() == [old]
    assert ring.forget(old.fingerprint) == 1
    assert ring.own_of(old.fingerprint) is None
    assert ring.own_of(new.fingerprint) == new
    with pytest.raises(KeysError, match="replace it"):
        ring.make()


def test_a_trusted_key_is_replaced_and_the_one_before_is_good_until_it_is_forgotten(keys: Keys) -> None:
    ring, old = keys.far_end_ring, keys.device_ring.own().public
    new = keys.device_ring.rotate().public
    ring.trust(new)
    assert ring.trusted("dot") == new
    assert list(ring.all_trusted("dot")) == [new, old]
    ring.trust(old)  # and back
    assert list(ring.all_trusted("dot")) == [old, new]
    assert ring.forget(new.fingerprint) == 1
    assert list(ring.all_trusted("dot")) == [old]
    assert ring.peers() == ["dot"]
    assert ring.forget("dot") == 1
    assert (ring.trusted("dot"), list(ring.all_trusted("dot")), ring.peers()) == (None, [], [])
    assert ring.forget("dot") == ring.forget("*") == ring.forget("") == 0


def test_a_device_with_a_name_that_begins_like_anothers_keeps_its_keys(keys: Keys) -> None:
    ring = keys.far_end_ring
    other = PrivateKey.make("dot-2")
    ring.trust(other.public)
    ring.trust(PrivateKey.make("dot-2").public)
    assert list(ring.all_trusted("dot")) == [keys.device_ring.own().public]
    ring.forget("dot")
    assert len(list(ring.all_trusted("dot-2"))) == 2


def test_what_another_program_changes_holds_at_once(keys: Keys) -> None:
    beside = Keyring.of_far_end(keys.folder / "cloud")
    before = beside.own()
    assert beside.trusted("dot") is not None
    keys.far_end_ring.rotate()
    keys.far_end_ring.forget("dot")
    assert beside.own() != before
    assert beside.trusted("dot") is None


def test_a_device_trusts_far_ends_and_a_far_end_devices(keys: Keys) -> None:
    with pytest.raises(KeysError, match="not for a device to trust"):
        keys.device_ring.trust(PrivateKey.make("flex").public)
    with pytest.raises(KeysError, match="not for a far-end to trust"):
        keys.far_end_ring.trust(PrivateKey.make("far-end").public)


def test_those_in_one_program_know_each_other_also_after_new_keys(keys: Keys) -> None:
    introduce(keys.device_ring, keys.far_end_ring)
    assert keys.device_ring.old() == keys.far_end_ring.old() == []
    keys.device_ring.rotate()
    keys.far_end_ring.rotate()
    introduce(keys.device_ring, keys.far_end_ring)
    assert keys.device_ring.trusted(FAR_END) == keys.far_end_ring.own().public
    assert keys.far_end_ring.trusted("dot") == keys.device_ring.own().public


def test_a_device_that_trusts_another_far_end_is_not_introduced(keys: Keys, tmp_path: Path) -> None:
    before = keys.device_ring.trusted(FAR_END)
    with pytest.raises(KeysError, match="dot trusts another far end than the one in this program; name its broker"):
        introduce(keys.device_ring, Keyring.of_far_end(tmp_path / "other"))
    assert keys.device_ring.trusted(FAR_END) == before


def test_the_command_makes_brings_together_replaces_and_forgets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = ["--state", str(tmp_path), "--name", "dot"]
    far_end = ["--store", str(tmp_path / "cloud")]
    state, store = tmp_path / "dot" / "keys", tmp_path / "cloud" / "keys"

    def run(*arguments: str, code: int = 0) -> str:
        assert main(["keys", *arguments]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    assert str(state / "dot.pub") in run("new", "device", *device)
    assert str(store / "far-end.pub") in run("new", "far-end", *far_end)
    run("trust", "device", str(store / "far-end.pub"), *device)
    run("trust", "far-end", str(state / "dot.pub"), *far_end)
    first = Keyring.of_far_end(tmp_path / "cloud").own().fingerprint
    second = run("rotate", "far-end", *far_end).split()[1]
    run("trust", "device", str(store / "far-end.pub"), *device)
    assert [line.split()[:2] for line in run("show", "device", *device).splitlines()[1:]] == [
        ["trusts", second],
        ["was", first],
    ]
    shown = run("show", "far-end", *far_end)
    assert [line.split()[:2] for line in shown.splitlines()[:2]] == [["own", second], ["old", first]]
    assert run("forget", "far-end", first, *far_end) == f"forgot   1 key of {first}\n"
    assert run("forget", "device", "far-end", *device) == "forgot   2 keys of far-end\n"
    assert "neither an old key nor trusted" in run("forget", "device", "far-end", *device, code=2)
    assert "replace it: misheard keys rotate device" in run("new", "device", *device, code=2)
    for secret in (*state.rglob("*.key"), *store.rglob("*.key")):
        assert json.loads(secret.read_text())["secret"] not in shown

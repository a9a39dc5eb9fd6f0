"""The spool keeps what it was given, whatever happens to the program."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uplink_kit import known
from uplink.errors import MessageError, SpoolError
from uplink.message import Part, decode_part
from uplink.spool import Spool, Summary


def part(number: int, clip: str = "dot-1-000", audio: bytes = b"fLaC") -> Part:
    return Part("dot", clip, number, False, number * 16_000, (number + 1) * 16_000, {}, audio)


def digest_of(spool: Spool, number: int, clip: str = "dot-1-000") -> str:
    """Give what a receipt for a waiting part would say."""
    return next(one.digest for one in spool.waiting(1000) if (one.clip, one.number) == (clip, number))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "state" / "spool.sqlite", known().device)
    yield spool
    spool.close()


def test_parts_wait_in_the_order_in_which_they_came(spool: Spool) -> None:
    parts = [part(n, clip) for clip in ("dot-1-000", "dot-1-777") for n in range(5)]
    for one in parts:
        spool.put(one)
    waiting = spool.waiting(100)
    assert [decode_part("dot", one.payload, known().far_end) for one in waiting] == parts
    assert [one.place for one in spool.waiting(3, after=waiting[1].place)] == [one.place for one in waiting[2:5]]
    assert spool.summary() == Summary(clips=2, parts=10, size=sum(len(one.payload) for one in waiting))


def test_nothing_takes_the_place_of_a_waiting_part(spool: Spool) -> None:
    spool.put(part(0))
    before = spool.waiting(10)
    with pytest.raises(SpoolError, match="part 0 of clip dot-1-000 is already spooled"):
        spool.put(part(0, audio=b"other"))
    assert spool.waiting(10) == before


def test_a_part_is_settled_by_its_own_digest_alone(spool: Spool) -> None:
    spool.put(part(0))
    digest = digest_of(spool, 0)
    assert not spool.settle("dot-1-000", 0, part(0).digest)  # of the audio: whoever guesses that proves nothing
    assert not spool.settle("dot-1-000", 1, digest)
    assert spool.settle("dot-1-000", 0, digest)
    assert not spool.settle("dot-1-000", 0, digest)
    assert spool.waiting(10) == []


def test_a_part_too_large_for_the_wire_is_refused_at_the_door(spool: Spool) -> None:
    with pytest.raises(MessageError, match="over the limit"):
        spool.put(part(0, audio=b"x" * 140_000))


def test_a_place_is_never_used_twice(spool: Spool) -> None:
    spool.put(part(0))
    place = spool.waiting(1)[0].place
    spool.settle("dot-1-000", 0, digest_of(spool, 0))
    spool.put(part(1))
    assert spool.waiting(1, after=place)[0].number == 1


def test_the_next_start_goes_on_with_what_is_left(spool: Spool) -> None:
    for number in range(3):
        spool.put(part(number))
    spool.settle("dot-1-000", 1, digest_of(spool, 1))
    spool.close()
    again = Spool(spool.path, known().device)
    assert [one.number for one in again.waiting(10)] == [0, 2]
    again.close()


def test_a_part_survives_a_program_that_is_killed(spool: Spool) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from uplink.spool import Spool; from uplink.message import Part\n"
        "from uplink.keyring import Keyring; from uplink.seal import Seal\n"
        "seal = Seal(Keyring.of_device(Path(sys.argv[2]), 'dot'))\n"
        "Spool(Path(sys.argv[1]), seal).put(Part('dot', 'dot-1-000', 0, False, 0, 16000, {}, b'fLaC'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, spool.path, known().folder], check=False)
    assert done.returncode == -9
    assert [decode_part("dot", one.payload, known().far_end) for one in spool.waiting(10)] == [part(0)]


def test_only_its_owner_can_read_it(spool: Spool) -> None:
    spool.put(part(0))
    for file in spool.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(spool.path.parent.stat().st_mode) == 0o700


def test_many_threads_may_use_it_at_once(spool: Spool) -> None:
    def work(worker: int) -> None:
        for number in range(25):
            spool.put(part(number, f"dot-{worker}-000"))
            if number % 2:
                assert spool.settle(f"dot-{worker}-000", number, digest_of(spool, number, f"dot-{worker}-000"))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting = spool.waiting(1000)
    assert len(waiting) == 4 * 13
    for worker in range(4):
        assert [one.number for one in waiting if one.clip == f"dot-{worker}-000"] == list(range(0, 25, 2))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match=r"spool\.sqlite cannot be written \(.*--state"):
        Spool(tmp_path / "file" / "spool.sqlite", known().device)
    with pytest.raises(SpoolError, match=r"cannot be written \(Is a directory\)"):
        Spool(tmp_path, known().device)


def test_a_full_disk_is_one_sentence_and_loses_nothing(spool: Spool) -> None:
    spool.put(part(0))
    # What SQLite says of a full disk, from SQLite itself: it may not grow any more.
    pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
    spool._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SpoolError, match="is full; make room on it"):
        spool.put(part(1, audio=b"x" * 100_000))
    assert [one.number for one in spool.waiting(10)] == [0]
    assert spool.settle("dot-1-000", 0, digest_of(spool, 0))


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_bytes(b"this is not a database, and it is long enough to be read as one" * 100)
    with pytest.raises(SpoolError, match=r"is damaged .*; move it away to begin a new one"):
        Spool(path, known().device)


def test_a_file_damaged_in_the_middle_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path, known().device)
    for number in range(20):
        spool.put(part(number, audio=b"x" * 3000))
    spool.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(SpoolError, match=r"is damaged .*; move it away to begin a new one"):
        Spool(path, known().device).waiting(10)


def test_a_closed_spool_says_so(spool: Spool) -> None:
    spool.close()
    with pytest.raises(SpoolError, match="is closed"):
        spool.put(part(0))

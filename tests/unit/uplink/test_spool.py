"""The spool keeps what it was given, whatever happens to the program, within its budget."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.spool_kit import Stream, clip_id, content, fill, row
from uplink.budget import Budget
from uplink.dropped import Drop
from uplink.errors import SpoolError
from uplink.spool import Deposit, Spool, Summary

FOREVER = """
import random, sys
from pathlib import Path
from tests.spool_kit import clip_id, row
from uplink.spool import Spool
spool = Spool(Path(sys.argv[1]))
begun = int(sys.argv[2])
for clip in range(begun, begun + 10_000):
    for number in range(7):
        name = f"dot-{clip:06d}"
        spool.put(*row(name, number, 20_000), last=number == 6)
        print(name, number, flush=True)
    if clip % 3 == 0:
        spool.settle((name, number, row(name, number, 20_000)[2]) for number in range(7))
        print(name, -1, flush=True)
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "state" / "spool.sqlite")
    yield spool
    spool.close()


def test_parts_wait_in_the_order_in_which_they_came(spool: Spool) -> None:
    rows = fill(spool, 2, 5)
    assert content(spool) == rows
    assert spool.summary() == Summary(clips=2, parts=10, size=10_000)
    assert spool.parts(clip_id(1)) == [(n, 1_000, digest) for _, n, digest, _ in rows[5:]]
    assert [(clip.clip, clip.parts, clip.size, clip.closed) for clip in spool.clips()] == [
        (clip_id(0), 5, 5_000, True),
        (clip_id(1), 5, 5_000, True),
    ]
    assert spool.get(clip_id(0), 5) is None


def test_the_same_part_again_changes_nothing_and_another_in_its_place_is_refused(spool: Spool) -> None:
    assert spool.put(*row(clip_id(0), 0))
    assert not spool.put(*row(clip_id(0), 0))
    with pytest.raises(SpoolError, match=r"part 0 of clip .* is already spooled"):
        spool.put(*row(clip_id(0), 0, 999))
    assert content(spool) == [row(clip_id(0), 0)]


def test_many_are_kept_in_their_order_and_none_where_one_cannot_be(tmp_path: Path) -> None:
    told: list[str] = []
    spool = Spool(tmp_path / "spool.sqlite", Budget(size=6_500), on_fact=lambda kind, _facts: told.append(kind))
    old = [Deposit(*row(clip_id(0), number), last=number == 3) for number in range(4)]
    assert spool.put_all([old[0], old[1], old[0], old[2], old[3]]) == [True, True, False, True, True]
    assert content(spool) == [deposit[:4] for deposit in old]
    new = [Deposit(*row(clip_id(1), number), priority=1.0) for number in range(3)]
    with pytest.raises(SpoolError, match="is already spooled"):
        spool.put_all([*new, Deposit(*row(clip_id(1), 0, 999))])
    assert content(spool) == [deposit[:4] for deposit in old]
    assert told == [], "what was undone has not happened"
    assert spool.put_all(new) == [True, True, True]
    assert told == ["dropped"]
    assert content(spool) == [deposit[:4] for deposit in new]
    spool.close()


def test_parts_are_settled_by_their_own_digests_alone(spool: Spool) -> None:
    rows = fill(spool, 1, 3)
    clip, _, digest, _ = rows[0]
    assert spool.settle([(clip, 0, "0" * 64), (clip, 1, digest), (clip, 9, digest), ("dot-9", 0, digest)]) == set()
    assert spool.settle([(clip, 0, digest), (clip, 0, digest)]) == {(clip, 0)}
    assert spool.settle([(clip, 0, digest)]) == set()
    assert content(spool) == rows[1:]


def test_a_clip_under_way_is_known_though_all_of_it_is_receipted(spool: Spool) -> None:
    one = row(clip_id(0), 0)
    spool.put(*one, priority=0.7)
    spool.settle([one[:3]])
    assert spool.clips() == []
    spool.put(*row(clip_id(0), 1), last=True)
    assert [(clip.priority, clip.closed) for clip in spool.clips()] == [(0.7, True)]
    spool.settle([row(clip_id(0), 1)[:3]])
    assert spool.summary() == Summary(0, 0, 0)


def test_the_next_start_goes_on_with_what_is_left(spool: Spool) -> None:
    rows = fill(spool, 1, 3)
    spool.settle([rows[1][:3]])
    spool.remember("serial", "7")
    spool.remember("serial", "8")
    spool.close()
    again = Spool(spool.path)
    assert content(again) == [rows[0], rows[2]]
    assert again.recall("serial") == "8"
    assert again.recall("nothing") is None
    again.close()


def test_what_put_has_said_survives_twenty_kills(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    expected: set[tuple[str, int]] = set()
    for kill in range(20):
        command = [sys.executable, "-c", FOREVER, str(path), str(kill * 10_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(5 + 7 * kill % 31):
                process.stdout.readline()
            process.kill()
            lines = process.stdout.read().splitlines(keepends=True)
        # What was said before the kill but not read yet counts too; a line that was cut off does not.
        spool = Spool(path)
        here = set(spool.waiting())
        for line in lines:
            if line.endswith("\n"):
                name, said = line.split()
                assert (name, int(said)) in here or int(name[4:]) % 3 == 0, line
        assert expected <= here
        for clip, number in here:
            found = spool.get(clip, number)
            assert found is not None
            assert (clip, number, found.digest, found.payload) == row(clip, number, 20_000)
        expected = here
        spool.close()
    assert len(expected) > 20


def test_only_its_owner_can_read_it(spool: Spool) -> None:
    spool.put(*row(clip_id(0), 0))
    assert len(list(spool.path.parent.iterdir())) == 5
    for file in spool.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(spool.path.parent.stat().st_mode) == 0o700


def test_many_threads_may_use_it_at_once(spool: Spool) -> None:
    def work(worker: int) -> None:
        for number in range(25):
            spool.put(*row(f"dot-{worker}-000", number))
            if number % 2:
                assert spool.settle([row(f"dot-{worker}-000", number)[:3]])

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting = spool.waiting()
    assert len(waiting) == 4 * 13
    for worker in range(4):
        assert [n for clip, n in waiting if clip == f"dot-{worker}-000"] == list(range(0, 25, 2))


def test_one_program_runs_on_it_and_guests_may_look_and_take_away(spool: Spool) -> None:
    rows = fill(spool, 2, 2)
    with pytest.raises(SpoolError, match="another device runs on the spool"):
        Spool(spool.path)
    guest = Spool(spool.path, guest=True)
    assert content(guest) == rows
    guest.drop(clip_id(0), "purged")
    guest.close()
    assert content(spool) == rows[2:]
    assert spool.summary() == Summary(1, 2, 2_000)
    assert not spool.put(*row(clip_id(0), 2))
    assert spool.drops()[0].parts == 3


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match=r"spool\.sqlite cannot be written \(.*--state"):
        Spool(tmp_path / "file" / "spool.sqlite")
    with pytest.raises(SpoolError, match=r"cannot be written \(Is a directory\)"):
        Spool(tmp_path)


def test_a_closed_spool_says_so(spool: Spool) -> None:
    spool.close()
    with pytest.raises(SpoolError, match="is closed"):
        spool.put(*row(clip_id(0), 0))


def test_a_file_of_the_first_form_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    old = sqlite3.connect(path)
    old.execute(
        "CREATE TABLE part (place INTEGER PRIMARY KEY AUTOINCREMENT, clip TEXT NOT NULL, number INTEGER NOT NULL, "
        "digest TEXT NOT NULL, payload BLOB NOT NULL, UNIQUE (clip, number)) STRICT"
    )
    rows = [row(clip, number) for clip in ("dot-2", "dot-1") for number in (4, 5)]
    old.executemany("INSERT INTO part (clip, number, digest, payload) VALUES (?, ?, ?, ?)", rows)
    old.commit()
    old.close()
    spool = Spool(path)
    assert content(spool) == rows
    assert spool.settle([rows[2][:3]])
    assert spool.summary() == Summary(2, 3, 3_000)
    spool.close()


def full(tmp_path: Path, budget: Budget, stream: Stream) -> Spool:
    """Give a spool with the clips 000 to 003, of three parts and 3,000 bytes each, and of priorities 3, 1, 2, 1."""

    def tell(kind: str, facts: Mapping[str, Any]) -> None:
        stream.facts.append((kind, facts))

    spool = Spool(tmp_path / "spool.sqlite", budget, now=stream.now, on_fact=tell)
    for clip, priority in enumerate((3, 1, 2, 1)):
        for number in range(3):
            assert spool.put(*row(f"dot-{clip:03d}", number), last=number == 2, priority=priority)
    return spool


def clips(spool: Spool) -> list[str]:
    return [clip.clip[4:] for clip in spool.clips()]


@pytest.mark.parametrize(
    ("policy", "left", "dropped"),
    [
        ("refuse_new", ["000", "001", "002", "003"], Drop("dot-new", 3, 3_000, "refused", "2026-01-01T00:00:07Z")),
        ("drop_oldest", ["001", "002", "003", "new"], Drop("dot-000", 3, 3_000, "full", "2026-01-01T00:00:07Z")),
        (
            "drop_unverified_first",
            ["000", "002", "003", "new"],
            Drop("dot-001", 3, 3_000, "full", "2026-01-01T00:00:07Z"),
        ),
    ],
)
def test_a_full_spool_drops_whole_clips_by_its_policy(
    tmp_path: Path, policy: Any, left: list[str], dropped: Drop
) -> None:
    stream = Stream()
    spool = full(tmp_path, Budget(12_500, policy=policy), stream)
    stream.utc = "2026-01-01T00:00:07Z"
    kept = [spool.put(*row("dot-new", number), last=number == 2) for number in range(3)]
    assert kept == [policy != "refuse_new"] * 3
    assert clips(spool) == left
    assert spool.drops()[0] == dropped
    assert sum(drop.parts for drop in spool.drops()) + spool.summary().parts == 15
    told = [facts for kind, facts in stream.facts if kind == "dropped"]
    assert sum(facts["parts"] for facts in told) == sum(drop.parts for drop in spool.drops())  # type: ignore[index]
    assert spool.dropped()[dropped.why].parts == sum(drop.parts for drop in spool.drops())
    spool.close()


@pytest.mark.parametrize("policy", ["refuse_new", "drop_oldest", "drop_unverified_first"])
def test_a_clip_once_begun_is_kept_to_its_end(tmp_path: Path, policy: Any) -> None:
    spool = Spool(tmp_path / "spool.sqlite", Budget(2_500, policy=policy))
    for number in range(9):
        assert spool.put(*row("dot-long", number), last=number == 8)
    assert spool.summary().parts == 9
    assert spool.drops() == []
    spool.close()


def test_a_clip_is_old_by_the_time_that_a_device_listened_whatever_the_clock_says(tmp_path: Path) -> None:
    path, budget, stream = tmp_path / "spool.sqlite", Budget(age_s=1_000), Stream()
    spool = Spool(path, budget, now=stream.now)
    spool.put(*row("dot-a", 0), last=True)
    stream.seconds = 600
    spool.put(*row("dot-b", 0), last=True)
    stream.seconds = 700
    spool.expire()
    spool.close()
    stream.seconds, stream.utc = 0, "1970-01-01T00:00:00.000000Z"  # a Raspberry Pi has started without a clock
    spool = Spool(path, budget, now=stream.now)
    spool.expire()
    assert [(clip.clip, clip.age_s) for clip in spool.clips()] == [("dot-a", 700), ("dot-b", 100)]
    assert spool.summary().oldest_s == 700
    stream.seconds, stream.utc = 400, "2036-01-01T00:00:00.000000Z"
    spool.expire()
    assert spool.drops() == [Drop("dot-a", 1, 1_000, "age", "2036-01-01T00:00:00.000000Z")]
    assert [clip.clip for clip in spool.clips()] == ["dot-b"]
    spool.close()


def test_what_is_dropped_stays_dropped(tmp_path: Path) -> None:
    stream = Stream()
    spool = Spool(tmp_path / "spool.sqlite", now=stream.now)
    assert not spool.drop(clip_id(0), "deleted")
    spool.put(*row(clip_id(0), 0))
    assert spool.drop(clip_id(0), "deleted")
    assert not spool.put(*row(clip_id(0), 1))
    assert spool.drops() == [Drop(clip_id(0), 2, 2_000, "deleted", stream.utc)]
    assert spool.dropped() == {"deleted": Summary(1, 2, 2_000)}
    spool.close()


REFUSED = """
import resource, sys
from pathlib import Path
from tests.spool_kit import clip_id, content, row
from uplink.errors import SpoolError
from uplink.spool import Spool
spool = Spool(Path(sys.argv[1]))
most = resource.getrlimit(resource.RLIMIT_FSIZE)
assert spool.put(*row(clip_id(0), 0, 20_000), last=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, most[1]))
for again in range(3):
    try:
        spool.put(*row(clip_id(1), 0, 20_000), last=True)
    except SpoolError:
        continue
    raise AssertionError("it was written")
resource.setrlimit(resource.RLIMIT_FSIZE, most)
assert spool.put(*row(clip_id(1), 0, 20_000), last=True)
assert [one[0] for one in content(spool)] == [clip_id(0), clip_id(1)]
assert not spool.drops()
"""


def test_a_disk_that_refuses_every_write_for_a_while_costs_nothing_that_was_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", REFUSED, str(tmp_path / "spool.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

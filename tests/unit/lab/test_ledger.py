from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sim.errors import LabError
from sim.lab.ledger import Ledger, digest, prepare_resumable

PLAN = {"seed": 1}


def test_results_come_by_number_whatever_order_they_were_kept_in(tmp_path: Path) -> None:
    with Ledger(tmp_path / "a.jsonl", PLAN, 4) as ledger:
        ledger.add([(2, "c"), (0, "a")])
        ledger.add([(3, "d")])
        assert list(ledger.results()) == ["a", "c", "d"]
        assert list(ledger.missing()) == [1]
        assert ledger.done == 3


def test_what_is_done_is_found_again_and_half_a_line_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Ledger(path, PLAN, 3) as ledger:
        ledger.add([(0, {"x": 1}), (1, {"x": 2})])
    path.write_bytes(path.read_bytes()[:-3])
    with Ledger(path, PLAN, 3) as ledger:
        assert list(ledger.missing()) == [1, 2]
        ledger.add([(1, {"x": 5})])
        assert list(ledger.results()) == [{"x": 1}, {"x": 5}]
    with Ledger(path, PLAN, 3) as ledger:
        assert list(ledger.results()) == [{"x": 1}, {"x": 5}]


def test_it_may_be_of_more_tasks_later_and_of_fewer(tmp_path: Path) -> None:
    for n in (2, 5, 1):
        with Ledger(tmp_path / "a.jsonl", PLAN, n) as ledger:
            ledger.add([(number, number) for number in ledger.missing()])
            assert list(ledger.results()) == list(range(n))


def test_other_work_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path / "a.jsonl", PLAN, 3).__exit__()
    with pytest.raises(LabError, match=r"something else asked; choose another folder with --out$"):
        Ledger(tmp_path / "a.jsonl", {"seed": 2}, 3)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Ledger(path, PLAN, 3) as ledger:
        ledger.add([(0, 1), (1, 2)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"{]\n" + lines[2])
    with pytest.raises(LabError, match=r"a\.jsonl, line 2, is damaged"):
        Ledger(path, PLAN, 3)


def test_two_runs_do_not_write_one_ledger(tmp_path: Path) -> None:
    with Ledger(tmp_path / "a.jsonl", PLAN, 3), pytest.raises(LabError, match="written by another run"):
        Ledger(tmp_path / "a.jsonl", PLAN, 3)


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.jsonl", PLAN, 3)
    with Path("/dev/full").open("r+b", buffering=0) as full:
        ledger._file = full  # type: ignore[assignment]
        with pytest.raises(LabError, match=r"cannot be written \(No space left on device\); make room, then go on"):
            ledger.add([(0, 1)])


FILLS = """
import sys
from pathlib import Path
from sim.errors import LabError
from sim.lab.ledger import Ledger
try:
    with Ledger(Path(sys.argv[1]), {"seed": 1}, 100) as ledger:
        for number in ledger.missing():
            ledger.add([(number, "x" * 200)])
        print(ledger.done, set(map(len, ledger.results())))
except LabError as error:
    print(error)
"""


@pytest.mark.usefixtures("small_disk")
def test_on_a_disk_that_is_full_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    fill = shlex.join([sys.executable, "-c", FILLS, str(tmp_path / "a.jsonl")])
    script = f"""
        mount -t tmpfs -o size=8k tmpfs {tmp_path}; head -c 8192 /dev/zero >{tmp_path}/other; {fill}
        rm {tmp_path}/other; {fill}; wc -c <{tmp_path}/a.jsonl
        mount -o remount,size=1m {tmp_path}; {fill}
    """
    done = subprocess.run(["unshare", "-rm", "sh", "-ec", script], capture_output=True, text=True, timeout=120)
    full = f"{tmp_path / 'a.jsonl'} cannot be written (No space left on device); make room, then go on"
    assert (done.stdout.splitlines(), done.stderr) == ([full, full, "8192", "100 {200}"], "")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    prepare_resumable(tmp_path / "new", "lab sweep", ["rows.jsonl"])
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(LabError, match="holds something else than results"):
        prepare_resumable(tmp_path, "lab sweep", ["rows.jsonl"])


def test_a_digest_is_of_the_content_alone() -> None:
    assert digest({"a": 1, "b": (2, 3)}) == digest({"b": [2, 3], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})

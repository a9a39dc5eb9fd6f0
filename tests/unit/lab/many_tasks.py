"""A program whose two workers do many tasks, and what memory that takes: by how many bytes it grew, after some, as
printed. It is one of its own, so that nothing else of the tests is counted."""

from __future__ import annotations

import os
from pathlib import Path

from sim.lab.cluster import Cluster
from tests.lab_tasks import long_winded


def main() -> None:
    with Cluster(workers=2) as cluster:
        processes = [os.getpid(), *started_by(os.getpid())]

        def memory_after(name: str, tasks: int) -> int:
            assert sum(map(len, cluster.run(name, long_winded, ((n, n) for n in range(tasks))))) == tasks
            return sum(map(resident, processes))

        before = memory_after("first", 3_000)  # until as many go together as ever will
        print(memory_after("then", 8_000) - before)


def started_by(pid: int) -> list[int]:
    """All processes of ours that go back to this one."""
    own = [int(each) for path in Path(f"/proc/{pid}/task").glob("*/children") for each in path.read_text().split()]
    return [*own, *(each for child in own for each in started_by(child))]


def resident(pid: int) -> int:
    """Bytes of memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()

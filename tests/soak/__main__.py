"""`make soak`: a month of a device and its far end, as fast as it goes, and what it held at the end of each day."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.soak.figures import Figures, growth_per_day, table
from tests.soak.month import DAY_S, live

_WARM_UP_DAYS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    add = parser.add_argument
    add("--days", type=int, default=30, help="[30]")
    add("--day", type=int, default=DAY_S, metavar="S", help="how long a day is [86400]")
    add("--heard", type=int, default=1800, metavar="S", help="seconds of each day that are heard [1800]")
    add("--wakes", type=int, default=10, help="conversations in each of them [10]")
    add("--recognizer", default="pocketsphinx", help="none, pocketsphinx or vosk [pocketsphinx]")
    args = parser.parse_args()

    def note(row: Figures) -> None:
        print(f"day {row.day}: {row.rss_mb} MB, {row.files} files, {row.threads} threads, {row.cpu_s} s", flush=True)

    with tempfile.TemporaryDirectory(prefix="misheard-soak-") as folder:
        rows = live(
            Path(folder), args.days, args.heard, args.wakes, day_s=args.day, recognizer=args.recognizer, note=note
        )
    print(table(rows))
    steady = rows[_WARM_UP_DAYS:]
    if len(steady) > 1:
        for what in ("rss_mb", "child_mb", "threads", "files", "disk_mb"):
            print(f"{what}: {growth_per_day(steady, what):+.4f} a day after day {_WARM_UP_DAYS}")
        first, last = steady[0], steady[-1]
        per_hour = (last.written_mb - first.written_mb) * 1000 / (last.day - first.day) / (args.day / 3600)
        print(f"written: {per_hour:.1f} kB an hour")


if __name__ == "__main__":
    main()

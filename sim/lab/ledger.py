"""What is done of a numbered piece of work, on disk at once: a broken-off run goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import LabError
from sim.lab.results import RESULTS, plain, read_results


def digest(value: Any) -> str:
    """The SHA-256 of a plain value, written in one way only."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """Results by the numbers of their tasks, 0 to n - 1, in whatever order they come; to be entered.

    A file of JSON lines, of which the first says what work it is. Only where each line is in the file is kept in
    memory.
    """

    def __init__(self, path: Path, plan: Mapping[str, Any], n: int) -> None:
        """Open it, or begin it; `plan` is everything that the results depend on, but not how many they are.

        Raises LabError where the file is of another plan, is damaged, or is open elsewhere.
        """
        self.path, self._plan = path, plan
        self.name = digest(plan)[:16]
        self._offsets = np.full(n, -1, np.int64)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
        except OSError as error:
            raise LabError(f"{path} cannot be opened ({error.strerror}); choose another folder with --out") from None
        try:
            self._read()
        except BaseException:  # whatever it was: nobody else will close the file, and its lock
            self.__exit__()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a full disk has been told of, and takes what was meant for it no better now
            self._file.close()

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def done(self) -> int:
        """How many of the tasks have a result."""
        return int(np.count_nonzero(self._offsets >= 0))

    def missing(self) -> Iterator[int]:
        """Give the numbers of tasks without a result, as they are now."""
        return iter(np.flatnonzero(self._offsets < 0).tolist())

    def add(self, results: Sequence[tuple[int, Any]]) -> None:
        """Keep results; when this returns they are on the disk. Raises LabError where it does not take them."""
        lines = [_line({"n": number, "result": plain(result)}) for number, result in results]
        at = os.fstat(self._file.fileno()).st_size
        for (number, _), line in zip(results, lines, strict=True):  # first, as Ctrl-C may come before the disk is done
            self._offsets[number] = at
            at += len(line)
        self._append(lines)

    def results(self) -> Iterator[Any]:
        """Give the results that are there, in the order of their numbers."""
        for number in np.flatnonzero(self._offsets >= 0).tolist():
            yield self[number]

    def __getitem__(self, number: int) -> Any:
        self._file.seek(int(self._offsets[number]))
        return json.loads(self._file.readline())["result"]

    def _append(self, lines: Sequence[bytes]) -> None:
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.writelines(lines)
            self._file.flush()
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise LabError(f"{self.path} cannot be written ({error.strerror}); make room, then go on") from None

    def _read(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LabError(f"{self.path} is being written by another run; wait for it") from None
        self._file.seek(0)
        at = 0
        for count, line in enumerate(self._file):
            if not line.endswith(b"\n"):  # the end of a run that was broken off as it wrote
                break
            self._take(count, line, at)
            at += len(line)
        self._file.truncate(at)
        if not at:
            self._append([_line({"work": self.name, "plan": plain(self._plan)})])

    def _take(self, count: int, line: bytes, at: int) -> None:
        try:
            found = json.loads(line)
            if count == 0:
                other = found["work"]
            elif 0 <= found["n"] < len(self._offsets):
                self._offsets[found["n"]] = at
        except (ValueError, KeyError, TypeError):
            raise LabError(f"{self.path}, line {count + 1}, is damaged; choose another folder with --out") from None
        if count == 0 and other != self.name:
            folder = self.path.parent
            raise LabError(f"{folder} holds the results of something else asked; choose another folder with --out")


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def prepare_resumable(out: Path, command: str, ledgers: Sequence[str]) -> None:
    """Make the folder of results; raises LabError where it cannot be, or holds something else than this command's."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        there = any(out.iterdir())
    except OSError as error:
        raise LabError(f"{out} cannot be made ({error.strerror}); choose another folder with --out") from None
    if (out / RESULTS).is_file() and (other := read_results(out).get("command")) != command:
        raise LabError(f"{out} holds results of {other}; choose another folder with --out")
    if there and not any((out / name).is_file() for name in ledgers):
        raise LabError(f"{out} holds something else than results; choose another folder with --out")

"""Where the end of the log is noted outside of its database: what is cut off there shows here."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.errors import AuditError

_BYTES = 512


@dataclass(frozen=True)
class Head:
    """The newest entry at some time: its number, its hash, and the far end's signature of that."""

    number: int
    hash: str
    signature: str


class Heads:
    """The same note in several files; a file that is behind is brought up, one that is ahead never taken back.

    For any number of threads and programs on one machine.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)

    def all(self) -> dict[Path, Head]:
        """Give what is noted where; raises AuditError for a note that cannot be read."""
        found = {file: read_head(file) for file in self.files}
        return {file: head for file, head in found.items() if head is not None}

    def note(self, head: Head, files: Sequence[Path]) -> None:
        """Note a head in some of the files; raises AuditError where one cannot be written."""
        for file in files:
            try:
                self._note(file, head)
            except OSError as error:
                raise AuditError(
                    f"the end of the log cannot be noted in {file} ({error.strerror}); make room or mend the folder"
                ) from None

    def _note(self, file: Path, head: Head) -> None:
        for folder in reversed([file.parent, *file.parent.parents]):
            folder.mkdir(exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            noted = _parse(file, os.pread(handle, _BYTES, 0))
            if noted is not None and noted.number >= head.number:  # another was faster
                return
            # One sector, which a disk writes whole or not at all, and in its own time: a note may be behind.
            os.pwrite(handle, json.dumps(vars(head)).encode().ljust(_BYTES - 1) + b"\n", 0)
        finally:
            os.close(handle)


def read_head(file: Path) -> Head | None:
    """Give what is noted in a file, None where it is not there, or nothing is in it; raises AuditError."""
    try:
        handle = os.open(file, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            content = os.pread(handle, _BYTES, 0)
        finally:
            os.close(handle)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuditError(f"the end of the log in {file} cannot be read ({error.strerror}); check the file") from None
    return _parse(file, content)


def _parse(file: Path, content: bytes) -> Head | None:
    if not content:
        return None
    try:
        noted = json.loads(content)
        number, digest, signature = noted["number"], noted["hash"], noted["signature"]
    except (ValueError, TypeError, KeyError):
        number = digest = signature = None
    if type(number) is not int or not isinstance(digest, str) or not isinstance(signature, str):
        raise AuditError(f"the end of the log in {file} is damaged; bring the file back from a copy")
    return Head(number, digest, signature)

"""Where the end of the log is noted outside of its database: what is cut off there shows here."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sim.errors import AuditError


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
        with _locked(file):
            noted = read_head(file)
            if noted is not None and noted.number >= head.number:  # another was faster
                return
            draft = file.with_name(f".{file.name}.new")
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as written:
                json.dump({"number": head.number, "hash": head.hash, "signature": head.signature}, written)
                written.write("\n")
                written.flush()
                os.fsync(written.fileno())
            draft.replace(file)


def read_head(file: Path) -> Head | None:
    """Give what is noted in a file, None where it is not there; raises AuditError."""
    try:
        noted = json.loads(file.read_text("utf-8"))
        number, digest, signature = noted["number"], noted["hash"], noted["signature"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuditError(f"the end of the log in {file} cannot be read ({error.strerror}); check the file") from None
    except (ValueError, TypeError, KeyError):
        raise AuditError(f"the end of the log in {file} is damaged; bring the file back from a copy") from None
    if type(number) is not int or not isinstance(digest, str) or not isinstance(signature, str):
        raise AuditError(f"the end of the log in {file} is damaged; bring the file back from a copy")
    return Head(number, digest, signature)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    handle = os.open(file.with_name(f".{file.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

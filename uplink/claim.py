"""Who runs on a spool: one program at a time, which others can see."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from uplink.errors import SpoolError


class Claim:
    """A lock beside a spool, let go by the kernel however the program ends."""

    def __init__(self, spool: Path) -> None:
        """Take it; raises SpoolError where another program has it."""
        try:
            self._file = os.open(_lock(spool), os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise SpoolError(f"the spool {spool} cannot be locked ({error.strerror}); check the folder") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise SpoolError(
                f"another device runs on the spool {spool}; end it, or name another with --state"
            ) from None

    def let_go(self) -> None:
        """Give it back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def is_claimed(spool: Path) -> bool:
    """Whether a program runs on this spool now."""
    if not _lock(spool).exists():
        return False
    try:
        Claim(spool).let_go()
    except SpoolError:
        return True
    return False


def _lock(spool: Path) -> Path:
    return spool.with_name(f"{spool.name}.lock")

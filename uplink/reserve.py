"""Room on the disk that is taken ahead, to be given up when there is none left."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Reserve:
    """A file of `size` bytes that holds nothing; mode 600.

    On a full disk even forgetting takes room: a database writes down what it deletes before it has deleted it.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    def take(self) -> None:
        """Take the room, or as much of it as there is."""
        with suppress(OSError):
            file = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                # By chance, because some file systems give no room to what they can compress.
                while (lacking := self.size - os.fstat(file).st_size) > 0:
                    os.write(file, os.urandom(min(lacking, 65_536)))
            finally:
                os.close(file)

    def give_up(self) -> None:
        """Give the room back to the disk."""
        with suppress(OSError):
            os.truncate(self.path, 0)

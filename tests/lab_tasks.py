"""Tasks that workers find by their names."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def doubled(number: int) -> dict[str, int]:
    return {"twice": 2 * number}


def ends_its_process_once(task: tuple[int, str]) -> int:
    """The worker that comes first to task 3 is killed while it is at it."""
    number, marker = task
    if number == 3:
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return number
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def long_winded(_number: int) -> str:
    return "x" * 5_000


def refuses(_number: int) -> int:
    raise ValueError("this one is not to be done")

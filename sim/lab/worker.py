"""What a worker of this machine does before its first task; Dask finds it by the module's name."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C, which a terminal sends to workers too, to the program that started them: it ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

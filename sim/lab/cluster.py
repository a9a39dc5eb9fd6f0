"""Where tasks run: processes of this machine, or a Dask cluster. The only file that imports Dask (optional)."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import islice
from multiprocessing.resource_tracker import ensure_running
from threading import current_thread, main_thread
from time import perf_counter
from typing import Any

from device.rundir import versions
from sim.errors import ClusterLostError, LabError

Function = Callable[[Any], Any]
"""Takes a task and gives its result, both plain values; found by its name on a worker, so a module must have it."""

CONNECT_S = 6
"""How long a scheduler may take to answer."""

WORKERS_S = 60
"""How long its first worker may then take to come."""

WAITING_PER_WORKER = 4
"""Bundles that a worker has before it, so that it never waits for the next."""

BUNDLE_S, LARGEST = 0.2, 256
"""Tasks so short that many are done in this time are given out together, so many at most."""


class Cluster:
    """Runs tasks anywhere, in any order; to be entered. What they give does not depend on the workers."""

    def __init__(self, scheduler: str | None = None, workers: int | None = None) -> None:
        """Take the address of a scheduler, or else how many processes of this machine (as many as processors).

        Raises LabError where Dask is not installed.
        """
        _dask()
        self._scheduler = scheduler
        self._count = workers or len(os.sched_getaffinity(0))
        self._stack = ExitStack()
        self._client: Any = None

    def __enter__(self) -> Cluster:
        """Raises LabError for a scheduler that is not there, or has no workers."""
        distributed = _dask()
        try:
            if self._scheduler is None:
                self._client = self._stack.enter_context(self._of_this_machine(distributed))
            else:
                self._client = self._stack.enter_context(_connected(distributed, self._scheduler))
        except BaseException:  # also Ctrl-C: workers that have begun must not outlive this
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def run(self, name: str, function: Function, tasks: Iterable[tuple[int, Any]]) -> Iterator[list[tuple[int, Any]]]:
        """Give the results of numbered tasks as they come, some at a time; `name` tells these tasks from all others.

        Tasks are asked for as room comes free, and results are forgotten once given: memory does not grow with their
        number. How long tasks take decides how many go together, and nothing else. A task whose worker dies is given to
        another. Raises LabError, and what the function raises.
        """
        distributed, expected, pending = _dask(), versions(), iter(tasks)
        bundles = distributed.as_completed(with_results=True, loop=self._client.loop)
        room = WAITING_PER_WORKER * self.workers
        running, size = 0, 1
        try:
            while True:
                while running < room and (bundle := list(islice(pending, size))):
                    key = f"{name}-{bundle[0][0]}-{len(bundle)}"
                    bundles.add(self._client.submit(perform, bundle, function, expected, key=key, pure=False))
                    running += 1
                if not running:
                    return
                for _, result in bundles.next_batch():
                    if isinstance(result, BaseException):
                        raise result
                    running -= 1
                    found, took_s = result
                    size = max(1, min(LARGEST, 2 * size, int(BUNDLE_S * len(found) / max(took_s, 1e-6))))
                    yield found
        except distributed.scheduler.KilledWorker as error:
            why = "ended every process that worked at it"
            raise ClusterLostError(f"the task {error.task} {why}; look at what it asks for") from None
        except (distributed.CancelledError, distributed.comm.CommClosedError):
            where, mend = self._scheduler or "of this machine", "give the same command to go on when it is back"
            raise ClusterLostError(f"the scheduler {where} went away; {mend}") from None

    def _of_this_machine(self, distributed: Any) -> Any:
        """Give a client of processes of our own; what they say to each other is encrypted, as machines are shared."""
        with _ctrl_c_for_this_program_alone():
            local = distributed.LocalCluster(
                n_workers=self._count,
                threads_per_worker=1,
                processes=True,
                security=True,
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
            self._stack.enter_context(local)
        return local.get_client()


@contextmanager
def _ctrl_c_for_this_program_alone() -> Iterator[None]:
    """Threads and processes begun in here, and what these begin, never see Ctrl-C, which a terminal sends to all.

    Here it waits until the end of this: workers that have half begun cannot be ended without a trace.
    """
    came: list[int] = []
    ensure_running()  # whoever starts the tracker of multiprocessing has Ctrl-C let through to what it begins
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number)) if _is_main() else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is not None:
            signal.signal(signal.SIGINT, before)
    for number in came:
        signal.raise_signal(number)


def _is_main() -> bool:
    """Whether this thread may say what becomes of signals."""
    return current_thread() is main_thread()


def perform(
    tasks: list[tuple[int, Any]], function: Function, expected: dict[str, str]
) -> tuple[list[tuple[int, Any]], float]:
    """Do tasks on a worker; gives their results, and how long they took, in seconds.

    Raises LabError where the worker has other versions, which may give other results.
    """
    here = _versions_here()
    for package in sorted(here.keys() | expected.keys()):
        ours, theirs = expected.get(package, "none"), here.get(package, "none")
        if ours != theirs:
            raise LabError(f"a worker has {package} {theirs} and this program {ours}; make them equal, then go on")
    began = perf_counter()
    return [(number, function(task)) for number, task in tasks], perf_counter() - began


@cache
def _versions_here() -> dict[str, str]:
    return versions()


def _connected(distributed: Any, scheduler: str) -> Any:
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        why = str(error) if isinstance(error, ValueError) else "nothing answers there"
        start = "start one with: dask scheduler (addresses are like tcp://127.0.0.1:8786)"
        raise LabError(f"there is no scheduler at {scheduler} ({why}); {start}") from None
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError:
        client.close()
        raise LabError(f"the scheduler {scheduler} has no worker; start one with: dask worker {scheduler}") from None
    return client


def _dask() -> Any:
    try:
        import dask
        import distributed
    except ImportError:
        install = "install it with: pip install dask distributed"
        raise LabError(f"this spreads its work with Dask, which is not installed; {install}") from None
    # A worker that dies again and again is not the fault of the task that it was given.
    dask.config.set({"distributed.scheduler.allowed-failures": 10})
    # It would keep its last messages, and with them tasks and results.
    dask.config.set({"distributed.admin.low-level-log-length": 1})
    # What it would log is told in sentences here.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed

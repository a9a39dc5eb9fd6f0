"""Work for several processes; what comes of it does not depend on how many."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import TypeVar

Work = TypeVar("Work")
Came = TypeVar("Came")


def processors() -> int:
    """How many this program may use."""
    return len(os.sched_getaffinity(0))


def in_chains(
    run: Callable[[Work], Came], chains: Sequence[Sequence[Work]], workers: int, done: Callable[[Work], None]
) -> None:
    """Run each chain in its order, several chains at once; `done` is told of each piece of work, in this process.

    What one raises ends all of it, once what is under way is over.
    """
    left: list[list[Work]] = [list(chain) for chain in chains]
    if workers == 1:
        for chain in left:
            for work in chain:
                run(work)
                done(work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        running: dict[Future[Came], tuple[Work, list[Work]]] = {}

        def begin(chains: Iterable[list[Work]]) -> None:
            for chain in chains:
                if chain:
                    work = chain.pop(0)
                    running[pool.submit(run, work)] = work, chain

        try:
            begin(left)
            while running:
                over, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in over:
                    work, chain = running.pop(future)
                    future.result()
                    done(work)
                    begin([chain])
        except BaseException:  # also Ctrl-C: what has not begun must not begin
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin() -> None:
    """Ctrl-C reaches every process of the terminal: the one that hands out the work decides what it means.

    Where that one is killed, nobody else would ever end this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is a worker
    parent.join()
    os._exit(1)

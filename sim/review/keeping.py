"""Retention that a far end carries out by itself, once a day, for as long as it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from sim.cloud.settings import DeletionSettings
from sim.cloud.store import ClipStore
from sim.errors import SimError
from sim.review.deletion import log_deletions
from sim.review.options import audit_of
from sim.review.retention import retain
from sim.review.room import kept_within
from sim.review.signer import Signer
from uplink.errors import UplinkError
from uplink.keyring import Keyring
from uplink.message import JSON

Tell = Callable[[str, "Mapping[str, JSON]"], None]
_FIRST_S = 60.0
"""A far end that starts has other things to do first."""
_DAY_S = 86_400.0


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def kept_daily(
    store: ClipStore,
    keys: Keyring,
    settings: DeletionSettings,
    tell: Tell,
    *,
    first_s: float = _FIRST_S,
    every_s: float = _DAY_S,
    now: Callable[[], datetime] = _now,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Delete what has been kept long enough, on a thread of its own, each day that the block runs.

    `tell` gets ``retention`` (deletions: one for each customer), ``retention_failed`` (reason), and
    ``retention_put_off`` (step_s): a clock that was set by more than a day may be set back, so nothing is deleted by it
    for one more day. And what `kept_within` tells.
    """
    ended = threading.Event()

    def work() -> None:
        apart_s, wait_s = now().timestamp() - monotonic_s(), first_s
        while not ended.wait(wait_s):
            wait_s = every_s
            moment = now()  # the one that is judged is the one that is used
            step_s = moment.timestamp() - monotonic_s() - apart_s
            apart_s += step_s
            if abs(step_s) > _DAY_S:
                tell("retention_put_off", {"step_s": round(step_s)})
                continue
            try:
                audit = audit_of(store, Signer.of(keys))
                log_deletions(store.database, audit)
                gone = retain(store, audit, moment, settings.keep_days, settings.reaches)
            except (SimError, UplinkError, OSError) as error:  # a store that is away: tomorrow is another day
                tell("retention_failed", {"reason": str(error)})
                continue
            if gone:
                tell("retention", {"deletions": len(gone)})

    thread = threading.Thread(target=work, name="retention", daemon=True)
    thread.start()
    try:
        with kept_within(store, keys, tell, now=now):
            yield
    finally:
        ended.set()
        thread.join()

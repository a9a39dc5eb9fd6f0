"""A few short days of a device and its far end: nothing grows. `make soak` lets a month pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.month import KEPT_DAYS, live

_DAYS, _WARM_UP = 12, 10
"""Until the tenth the first runs have gone, and the first clips."""
_DAY_S = 6 * 3600
_MORE_MB = 12.0
"""What memory may have grown by since it was warm: parts of a run are held in memory, 2 MB for such a day."""


@pytest.mark.timeout(900)
def test_memory_files_threads_and_disk_stay_as_they_are(tmp_path: Path) -> None:
    days = live(tmp_path, _DAYS, 60, 1, day_s=_DAY_S)
    warm, last = days[_WARM_UP - 1], days[-1]
    assert last.wakes == last.stored == _DAYS
    assert last.rss_mb - warm.rss_mb < _MORE_MB, days
    assert last.child_mb - warm.child_mb < _MORE_MB, days
    assert last.threads <= warm.threads + 1, days  # of a pool
    assert last.files <= warm.files + 2, days  # a connection of the store more or less
    # The first runs have gone again: what is there is what is kept, the run at hand, one about to go, and `latest`.
    assert last.runs <= KEPT_DAYS + 4, days
    assert last.disk_mb - warm.disk_mb < 4.0, days

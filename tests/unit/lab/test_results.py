from __future__ import annotations

import json
import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sim.errors import LabError
from sim.lab.results import plain, prepare, read_results, write_results, write_rows


@contextmanager
def a_disk_that_takes(size: int) -> Iterator[None]:
    """Files of this process may not grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_open_bound_is_null_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    results = {"interval": (0.0, math.inf), "rate": 1 / 3}
    for name in ("one", "other"):
        prepare(tmp_path / name, "lab evaluate")
        write_results(tmp_path / name, "lab evaluate", {"seed": 1}, results)
    assert (tmp_path / "one" / "results.json").read_bytes() == (tmp_path / "other" / "results.json").read_bytes()
    found = read_results(tmp_path / "one")
    assert (found["interval"], found["rate"]) == ([0.0, None], 0.333333333)
    assert "python" in found["manifest"]["versions"]
    assert plain({1: math.nan}) == {"1": None}


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    write_results(tmp_path, "lab evaluate", {"seed": 1}, {"rows": []})
    before = (tmp_path / "results.json").read_bytes()
    with a_disk_that_takes(1000), pytest.raises(LabError, match=r"cannot be written .*make room there"):
        write_results(tmp_path, "lab evaluate", {"seed": 2}, {"rows": list(range(1000))})
    assert (tmp_path / "results.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
    with a_disk_that_takes(1000), pytest.raises(LabError, match="make room there"):
        write_rows(tmp_path / "rows.csv", [{"a": number} for number in range(10_000)])


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"manifest": 3})])
def test_what_is_no_result_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(LabError, match="give what a lab command left"):
        read_results(tmp_path)
    with pytest.raises(LabError, match=r"results.json"):
        prepare(tmp_path, "lab evaluate")

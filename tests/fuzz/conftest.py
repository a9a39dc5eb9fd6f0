"""How many inputs each decoder gets, and what became of them: every refusal is counted by its reason."""

from __future__ import annotations

import gc
import math
import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

T = TypeVar("T")
INPUTS = int(os.environ.get("MISHEARD_FUZZ", "250"))
"""For each decoder: 100,000 in the long run."""
_BURST = 50
"""Inputs from one number that Hypothesis draws: drawing each by itself would take longer than reading it."""
_LONGEST_S = 20.0
_GROWTH_MB = 64.0
_COUNTS = pytest.StashKey[dict[str, Counter[str]]]()

Hunt: TypeAlias = Callable[[str, Callable[[random.Random], T], Callable[[T], str]], None]
"""hunt(decoder, make, read): let `read` have what `make` gives, time and again. It says what became of an input in a
word that can be counted, and fails where that was no refusal in one sentence."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(4 * 3600 if INPUTS > 10_000 else 600))


@pytest.fixture
def hunt(request: pytest.FixtureRequest) -> Hunt[T]:
    counts = request.config.stash.setdefault(_COUNTS, {})

    def run(decoder: str, make: Callable[[random.Random], T], read: Callable[[T], str]) -> None:
        count = counts.setdefault(decoder, Counter())
        bursts = math.ceil(INPUTS / _BURST)
        sizes: list[float] = []

        @settings(max_examples=bursts, database=None)
        @given(st.integers(0, 2**64 - 1))
        def hunt_on(seed: int) -> None:
            chance = random.Random(seed)
            for number in range(_BURST):
                given_, began = make(chance), time.perf_counter()
                try:
                    count[read(given_)] += 1
                except BaseException as error:
                    error.add_note(f"input {number} of seed {seed}: {given_!r:.4000}")
                    raise
                assert time.perf_counter() - began < _LONGEST_S, f"input {number} of seed {seed}: {given_!r:.4000}"
            sizes.append(_resident_mb())

        hunt_on()
        gc.collect()
        growth = _resident_mb() - sizes[len(sizes) // 10]
        assert growth < _GROWTH_MB, f"memory has grown by {growth:.0f} MB"

    return run


@pytest.fixture
def fast_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: what is tested here is no disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="misheard-fuzz-", dir=memory) as name:
        yield Path(name)


def one_sentence(error: Exception) -> str:
    """Give the text of an error that a person may see; fails where it is more than that."""
    text = str(error)
    assert text
    assert "\n" not in text
    assert len(text) < 600
    return text


def _resident_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:  # not on Linux; then the peak has to do
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 1e6


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what became of the inputs."""
    counts = config.stash.get(_COUNTS, {})
    if not counts:
        return
    terminalreporter.section("fuzzing")
    terminalreporter.write_line("| decoder | inputs | what became of them |\n| --- | --- | --- |")
    for decoder, count in counts.items():
        told = ", ".join(f"{word} {number:,}" for word, number in count.most_common())
        terminalreporter.write_line(f"| {decoder} | {count.total():,} | {told} |")

"""Shared by all tests: real parts are looked for here, and only here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile("misheard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("misheard")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

_PROGRAMS = {
    "flite": "flite",
    "espeak-ng": "espeak-ng",
    "mosquitto": "mosquitto",
    "pulseaudio": "pulseaudio",
    "chromium": "chromium",
    "postgresql": "postgres",
}


def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: half of what a test does is to wait for a real part."""
    return min(8, 2 * len(os.sched_getaffinity(0)))


@pytest.fixture(scope="session")
def needs() -> Callable[[str], str]:
    """``needs("mosquitto")`` gives the program's path; without it the test skips, and fails in CI."""

    # Where Debian keeps its servers, the newest first.
    versions = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)

    def look(part: str) -> str:
        path = shutil.which(_PROGRAMS[part], path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *versions]))
        if path is not None:
            return path
        reason = f"{part} is not installed; on Debian: apt-get install {part}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)

    return look


@pytest.fixture
def small_disk() -> None:
    """Whether a small disk can be mounted (in a namespace of its own); without it the test skips, and fails in CI."""
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True, text=True)
    if probe.returncode:
        reason = f"no mount namespace can be made here ({probe.stderr.strip()})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recordings that some tests compare with; they skip where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared recordings are not here")
    return SHARED_DATA

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device.audio import Block
from device.events import Event, Kind
from device.gauge import FILE, SIZE, Gauge

WORDS = {"alexa": 0.5, "hey_mycroft": 0.4}


def hop(number: int, *scores: float) -> Event:
    return Event(number * 1280, Kind.HOP, {"scores": list(scores)})


def test_it_holds_the_newest_hop_alone_and_goes_with_the_run(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path, "dot", tuple(WORDS), WORDS)
    gauge.hear(Block(0, np.full(1280, 16_384, np.int16)))
    for number in range(1, 100):
        gauge.note(hop(number, number / 100, 0.123456))
        gauge.note(Event(number * 1280, Kind.LIGHT, {"light": "off"}))
    content = (tmp_path / FILE).read_bytes()
    assert len(content) == SIZE
    assert json.loads(content) == {
        "device": "dot",
        "sample": 99 * 1280,
        "dbfs": -6.0,
        "scores": {"alexa": 0.99, "hey_mycroft": 0.1235},
        "thresholds": WORDS,
    }
    gauge.close()
    gauge.note(hop(100, 0.0, 0.0))
    assert not (tmp_path / FILE).exists()
    gauge.close()


@pytest.mark.parametrize("samples", [np.zeros(1280, np.int16), np.zeros(0, np.int16)])
def test_silence_has_a_level_too(tmp_path: Path, samples: NDArray[np.int16]) -> None:
    gauge = Gauge(tmp_path, "dot", tuple(WORDS), WORDS)
    gauge.hear(Block(0, samples))
    gauge.note(hop(1, 0.0, 0.0))
    assert json.loads((tmp_path / FILE).read_bytes())["dbfs"] == -100.0
    gauge.close()


def test_where_it_cannot_write_the_device_goes_on(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path / "not" / "there", "dot", tuple(WORDS), WORDS)
    gauge.hear(Block(0, np.zeros(1280, np.int16)))
    gauge.note(hop(1, 0.0, 0.0))
    gauge.close()


def test_a_disk_that_takes_no_more_does_not_end_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Gauge(tmp_path, "dot", tuple(WORDS), WORDS)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("device.gauge.os.pwrite", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    gauge.note(hop(1, 0.0, 0.0))
    gauge.note(hop(2, 0.0, 0.0))
    gauge.close()

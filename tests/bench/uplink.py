"""The uplink over a real Mosquitto: how fast parts become safe, beside paho that only hands them to the broker."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, in_turn, latency_rows
from tests.bench.fleet import fleet_rows
from tests.bench.kitchen import kitchen
from tests.bench.machine import many_files, mosquitto_program, peak_mb, resident_mb
from tests.bench.spooling import spool_rows
from tests.bench.wire import PARTS, sounds
from tests.bench.worker import Worker
from tests.uplink_kit import Keys, free_port, mosquitto
from wakeword.sound import RATE, encode_flac

_BROKER = (
    "allow_anonymous true",
    "max_queued_messages 0",  # any number
    "max_inflight_messages 1000",
    "set_tcp_nodelay true",  # or each receipt would wait 40 ms for TCP to acknowledge what went before
    "log_type error",
)
_PAUSE_S = 0.05
"""Between two single parts: longer than TCP puts an acknowledgement off, so that each finds the line idle."""
_FILES_OF_A_DEVICE = 4
_DRAIN_S = 75.0
"""How long to watch what an outage left, where the disk is slow or busy."""
_PEER = "bare paho, QoS 1 acknowledged"


def rows(effort: Effort) -> Iterator[Row]:
    """Measure the spool and the store, and all of the uplink where Mosquitto is installed."""
    program = mosquitto_program()
    with tempfile.TemporaryDirectory(prefix="misheard-bench-") as name:
        folder = Path(name)
        _put_sounds(folder / "sounds")
        keys = Keys(folder, "dot")
        yield from spool_rows(effort, "dot", (keys.device, keys.far_end), sounds(folder / "sounds"), folder / "spool")
        if program is None:
            yield Row("uplink", remark="skipped: mosquitto is not installed")
            return
        with many_files() as files, mosquitto(program, folder, free_port(), _BROKER) as url:
            yield from _over(url, folder, effort, min(effort.devices, files // _FILES_OF_A_DEVICE))


def _over(url: str, folder: Path, effort: Effort, devices: int) -> Iterator[Row]:
    with Worker("receiving", url, folder / "cloud"):
        with _ends(url, folder, "dot") as (device, bare):
            yield from _pace(effort, device, bare)
        with _ends(url, folder, "spot") as (device, bare):
            yield from _outage(effort, device, bare)
        with _publisher(url, folder, "dot") as bare:
            yield from fleet_rows(devices, devices / effort.devices_a_second, url, folder, bare)


def _put_sounds(folder: Path) -> None:
    """Cut the kitchen into seconds."""
    folder.mkdir()
    for number in range(len(kitchen()) // RATE):
        second = kitchen()[number * RATE : (number + 1) * RATE]
        (folder / f"{number:03}.flac").write_bytes(encode_flac(second))


@contextmanager
def _ends(url: str, folder: Path, name: str) -> Iterator[tuple[Worker, Worker]]:
    """A device of this name that the far end knows, and its peer."""
    Keys(folder, name)
    with Worker("sending", url, folder, folder / "sounds", name) as device, _publisher(url, folder, name) as bare:
        yield device, bare


def _publisher(url: str, folder: Path, name: str) -> Worker:
    return Worker("publishing", url, folder, folder / "sounds", name)


def _pace(effort: Effort, device: Worker, bare: Worker) -> Iterator[Row]:
    """Parts as fast as they go, and one at a time."""
    device.ask("connect")
    parts = effort.delivered * PARTS
    took = in_turn(
        effort.deliveries,
        effort.warm_up,
        {
            "ours": lambda: device.ask("deliver", clips=effort.delivered),
            "bare": lambda: bare.ask("publish", parts=parts),
        },
    )
    ours, theirs = (took[name].each(lambda seconds: parts / seconds) for name in ("ours", "bare"))
    yield _rate_row("uplink, parts made safe", ours, theirs, bare.ask("bytes"), f"{parts:,}")

    def one(worker: Worker, deed: str, **facts: int) -> float:
        time.sleep(_PAUSE_S)
        return 1e3 * float(worker.ask(deed, **facts))

    single = in_turn(
        effort.singles,
        effort.warm_up,
        {
            "ours": lambda: one(device, "deliver", clips=1, parts=1),
            "bare": lambda: one(bare, "publish", parts=1),
        },
    )
    yield from latency_rows("uplink, a part's end to its receipt", single["ours"], _PEER, single["bare"])


def _rate_row(what: str, ours: Figure, bare: Figure, part_bytes: float, remark: str) -> Row:
    mb = part_bytes / 1e6
    return Row(
        what,
        "parts/s",
        ours,
        _PEER,
        bare,
        ours.over(bare),
        aim="ratio 0.5 or more",
        remark=f"{remark} of {1e3 * mb:.1f} kB: {mb * ours.median:.2g} MB/s, and {mb * bare.median:.3g} MB/s",
    )


def _outage(effort: Effort, device: Worker, bare: Worker) -> Iterator[Row]:
    """What waits after a long time without connection, all at once."""
    parts = effort.outage * PARTS
    before = resident_mb(device.pid)
    device.ask("spool", clips=effort.outage)
    delivered, seconds = device.ask("connect", patience_s=_DRAIN_S)
    ours, theirs = Figure((delivered / seconds,)), Figure((parts / bare.ask("publish", parts=parts),))
    yield _rate_row(
        "uplink, after an outage", ours, theirs, bare.ask("bytes"), f"{delivered:,} of {parts:,} that waited,"
    )
    what = "uplink, memory of the device then"
    peak, peak_theirs, after = peak_mb(device.pid), peak_mb(bare.pid), resident_mb(device.pid)
    if before is None or peak is None or peak_theirs is None:
        yield Row(what, remark="skipped: this system has no /proc")
        return
    mine, others = Figure((peak,)), Figure((peak_theirs,))
    yield Row(
        what,
        "MB",
        mine,
        "bare paho, given as many",
        others,
        others.over(mine),
        aim="flat",
        remark=f"at its highest; {before:.0f} MB before it, {after:.0f} MB in the end",
    )

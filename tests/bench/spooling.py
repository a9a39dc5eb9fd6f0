"""What it costs to keep a part: on the device until its receipt comes, and at the far end for good."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, in_turn
from tests.bench.wire import clip
from tests.uplink_kit import Counter
from uplink.envelope import digest_of
from uplink.message import Part, decode_part, encode_part
from uplink.seal import Seal
from uplink.spool import Spool
from wakeword.sound import decode_flac


def spool_rows(
    effort: Effort, device: str, seals: tuple[Seal, Seal], audio: list[bytes], folder: Path
) -> Iterator[Row]:
    """Measure a real spool in this folder, beside a file for each part; `seals` are the device's and the far end's."""
    folder.mkdir()
    bench = _Bench(device, seals, audio[: effort.spooled], folder)
    took = in_turn(
        effort.spools,
        effort.warm_up,
        {
            "seal": bench.seal_ms,
            "open": bench.open_ms,
            "sound": bench.sound_ms,
            "put": bench.put_ms,
            "file": bench.write_ms,
            "sync": bench.sync_ms,
            "settle": bench.settle_ms,
            "remove": bench.remove_ms,
            "store": bench.store_ms,
        },
    )
    bench.close()
    yield Row(
        "to spool a part",
        "ms",
        took["put"],
        "a file written and synced",
        took["file"],
        took["file"].over(took["put"]),
        remark=f"{bench.part_kb:.1f} kB, safe on the disk, whose sync alone takes {took['sync'].median:.2g} ms; "
        f"to sign and seal it: {took['seal'].median:.2g} ms",
    )
    least = Figure(tuple(map(sum, zip(*(took[deed].values for deed in ("seal", "open", "sound")), strict=True))))
    yield Row(
        "what no part can do without",
        "ms",
        least,
        remark=f"signed and sealed ({took['seal'].median:.2g}), opened and verified ({took['open'].median:.2g}), "
        f"its sound decoded ({took['sound'].median:.2g}), alone on a core: no more than "
        f"{1000 * (os.cpu_count() or 1) / least.median:,.0f}/s on all cores, broker and disks for nothing",
    )
    yield Row(
        "to settle a spooled part",
        "ms",
        took["settle"],
        "that file removed",
        took["remove"],
        took["remove"].over(took["settle"]),
        remark="one at a time, as its receipt comes",
    )
    yield Row(
        "to store a part at the far end",
        "ms",
        took["store"],
        "a file written and synced",
        took["file"],
        took["file"].over(took["store"]),
        remark="its sound decoded, as a file, and in the database, safe on the disk",
    )


class _Bench:
    """Each method gives the milliseconds that one part took, of some in a row; the first comes first."""

    def __init__(self, device: str, seals: tuple[Seal, Seal], audio: list[bytes], folder: Path) -> None:
        self._device, self._audio, self._folder = device, audio, folder
        self._seal, self._far_end = seals
        self._spool = Spool(folder / "spool.sqlite")
        self._store = ClipStore(folder / "store")
        self._cloud = Cloud(self._store, Counter())
        self._numbers = count()
        self._parts: list[Part] = []
        self._payloads: list[bytes] = []
        self.part_kb = 0.0

    def seal_ms(self) -> float:
        self._parts = clip(self._device, next(self._numbers), self._audio)
        self._payloads = []
        took = self._each_ms(lambda i: self._payloads.append(encode_part(self._parts[i], self._seal)))
        self.part_kb = sum(map(len, self._payloads)) / len(self._payloads) / 1000
        return took

    def open_ms(self) -> float:
        return self._each_ms(lambda i: decode_part(self._device, self._payloads[i], self._far_end))

    def sound_ms(self) -> float:
        return self._each_ms(lambda i: decode_flac(self._parts[i].audio))

    def put_ms(self) -> float:
        def put(i: int) -> None:
            part, payload = self._parts[i], self._payloads[i]
            self._spool.put(part.clip, part.number, digest_of(payload), payload, last=part.last)

        return self._each_ms(put)

    def settle_ms(self) -> float:
        digests = [digest_of(payload) for payload in self._payloads]

        def settle(i: int) -> None:
            self._spool.settle([(self._parts[i].clip, self._parts[i].number, digests[i])])

        return self._each_ms(settle)

    def write_ms(self) -> float:
        def write(i: int) -> None:
            with self._file(i).open("wb") as file:
                file.write(self._payloads[i])
                file.flush()
                os.fsync(file.fileno())

        return self._each_ms(write)

    def sync_ms(self) -> float:
        with (self._folder / "sync").open("wb", buffering=0) as file:

            def sync(i: int) -> None:
                file.write(self._payloads[i][:4096])
                os.fsync(file.fileno())

            return self._each_ms(sync)

    def remove_ms(self) -> float:
        return self._each_ms(lambda i: self._file(i).unlink())

    def store_ms(self) -> float:
        return self._each_ms(lambda i: self._cloud.receive(self._parts[i]))

    def close(self) -> None:
        self._spool.close()
        self._store.close()

    def _file(self, i: int) -> Path:
        return self._folder / f"{i:05}"

    def _each_ms(self, deed: Callable[[int], object]) -> float:
        began = time.perf_counter()
        for i in range(len(self._parts)):
            deed(i)
        return 1e3 * (time.perf_counter() - began) / len(self._parts)

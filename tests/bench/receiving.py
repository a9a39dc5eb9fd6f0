"""``python -m tests.bench.receiving URL STORE``: a far end whose recognizer costs nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.bench.wire import ACCESS
from tests.bench.worker import serve
from tests.uplink_kit import Counter
from uplink.keyring import Keyring
from uplink.seal import Seal


def main(url: str, folder: str) -> None:
    """Receive until nobody wants it any more."""
    store = ClipStore(Path(folder))
    seal = Seal(Keyring.of_far_end(Path(folder)))
    far_end = FarEnd(Cloud(store, Counter()), url, seal, on_event=lambda _kind, _facts: None, access=ACCESS)
    far_end.start(strict=True)
    try:
        serve()
    finally:
        far_end.close()
        store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

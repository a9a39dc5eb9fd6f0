"""A far end in a process of its own, that may be killed at any moment; its recognizer counts samples.

far_end_process.py STORE URL [SHARE]: prints a JSON list [kind, facts] a line for what a test may wait for.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.uplink_kit import Counter
from uplink.keyring import Keyring
from uplink.message import JSON
from uplink.seal import Seal

_TOLD = ("connected", "refused", "overrun", "complete", "store_away", "store_back")


def main(folder: str, url: str, share: str | None = None) -> None:
    """Receive until the process is ended."""

    def tell(kind: str, facts: Mapping[str, JSON]) -> None:
        if kind in _TOLD:
            print(json.dumps([kind, facts]), flush=True)

    store = ClipStore(folder)
    seal = Seal(Keyring.of_far_end(Path(folder)))
    far_end = FarEnd(Cloud(store, Counter()), url, seal, on_event=tell, share=share)
    far_end.start()
    while True:
        threading.Event().wait(1.0)
        far_end.check()


if __name__ == "__main__":
    main(*sys.argv[1:])

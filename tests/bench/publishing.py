"""``python -m tests.bench.publishing URL STATE SOUNDS DEVICE``: paho and nothing else, for what that device sends."""

from __future__ import annotations

import sys
from itertools import cycle, islice
from pathlib import Path

from tests.bench.peers import BarePublisher
from tests.bench.wire import clip, sounds
from tests.bench.worker import serve
from uplink.keyring import Keyring
from uplink.message import encode_part
from uplink.seal import Seal


def main(url: str, state: str, audio: str, device: str) -> None:
    """Publish what is asked for."""
    seal = Seal(Keyring.of_device(Path(state), device))
    payloads = [encode_part(part, seal) for part in clip(device, 0, sounds(Path(audio)))]
    with BarePublisher(url) as bare:
        serve(
            publish=lambda parts: bare.seconds_of_all(list(islice(cycle(payloads), parts))),
            bytes=lambda: sum(map(len, payloads)) / len(payloads),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])

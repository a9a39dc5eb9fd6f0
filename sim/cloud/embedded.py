"""Broker and far end inside the device's own program: nothing else has to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uplink.message import JSON


class EmbeddedFarEnd:
    """A far end on a broker of its own, on loopback; see `device.command.FarEndHere`."""

    def __init__(self, url: str, wait_answered: Callable[[float], bool]) -> None:
        self.url = url
        self.wait_answered = wait_answered


@contextmanager
def embedded_far_end(
    state: Path, device: str, tell: Callable[[str, Mapping[str, JSON]], None], recognizer: str = "auto"
) -> Iterator[EmbeddedFarEnd]:
    """Run a broker and a far end that stores under `state`, for as long as the block runs.

    It and the device of this name get to know each other's keys without a word; raises KeysError where the device
    trusts another far end.

    `tell` gets what happens at the far end: transcripts, refusals, clips it could not answer.
    """
    from sim.cloud.recognizer_process import RecognizerProcess
    from sim.cloud.server import FarEnd
    from sim.cloud.service import Cloud
    from sim.cloud.store import ClipStore
    from uplink.broker import EmbeddedBroker
    from uplink.keyring import Keyring, introduce
    from uplink.seal import Seal

    keys = Keyring.of_far_end(state / "cloud")
    introduce(Keyring.of_device(state, device), keys)
    with ExitStack() as stack:
        store = ClipStore(state / "cloud")
        stack.callback(store.close)
        listener = RecognizerProcess(recognizer)
        stack.callback(listener.close)
        broker = stack.enter_context(EmbeddedBroker())
        far_end = FarEnd(
            Cloud(store, listener), broker.url, Seal(keys), on_event=lambda kind, facts: _pass_on(tell, kind, facts)
        )
        stack.enter_context(far_end)
        yield EmbeddedFarEnd(broker.url, far_end.wait_answered)


def _pass_on(tell: Callable[[str, Mapping[str, JSON]], None], kind: str, facts: Mapping[str, JSON]) -> None:
    if kind in ("transcript", "unanswered", "refused"):
        tell(kind, facts)

"""Broker and far end inside the device's own program: nothing else has to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cloud.answer import OWN_NEWS

if TYPE_CHECKING:
    from device.config import KeepSettings
    from sim.cloud.keeping import Keeping
    from sim.cloud.settings import DeletionSettings
    from uplink.message import JSON


class EmbeddedFarEnd:
    """A far end on a broker of its own, on loopback; see `device.command.FarEndHere`."""

    def __init__(self, url: str, wait_answered: Callable[[float], bool]) -> None:
        self.url = url
        self.wait_answered = wait_answered


@contextmanager
def embedded_far_end(
    state: Path,
    device: str,
    tell: Callable[[str, Mapping[str, JSON]], None],
    profile: str | None = None,
    keep: KeepSettings | None = None,
    *,
    keeping: Keeping | None = None,
) -> Iterator[EmbeddedFarEnd]:
    """Run a broker and a far end that stores under `state`, for as long as the block runs.

    It and the device of this name get to know each other's keys without a word; raises KeysError where the device
    trusts another far end.

    With the `profile` of a far end, a shipped one or a YAML file, it answers; without one it only listens. What that
    does not say of how much is kept, `keep` says. `tell` gets what happens there: transcripts and what they were taken
    for, refusals, clips it could not answer. `keeping` deletes what has been kept long enough while it runs.
    """
    from sim.cloud.assistant import live_assistant
    from sim.cloud.quota import Quota
    from sim.cloud.recognizer_process import RecognizerProcess
    from sim.cloud.server import FarEnd
    from sim.cloud.service import Cloud
    from sim.cloud.settings import DeletionSettings, EarSettings, load_cloud
    from sim.cloud.store import ClipStore
    from uplink.broker import EmbeddedBroker
    from uplink.keyring import Keyring, introduce
    from uplink.seal import Seal

    keys = Keyring.of_far_end(state / "cloud")
    introduce(Keyring.of_device(state, device), keys)
    with ExitStack() as stack:
        store = ClipStore(state / "cloud", now=lambda: datetime.now(UTC))
        stack.callback(store.close)
        settings = None if profile is None else load_cloud(profile)
        deletion = deletion_of(DeletionSettings() if settings is None else settings.deletion, keep)
        store.quota = Quota.of(store.files, deletion)
        ears = EarSettings() if settings is None else settings.ears
        listener = RecognizerProcess(ears.recognizer, ears, None if settings is None else settings.verifier)
        stack.callback(listener.close)
        broker = stack.enter_context(EmbeddedBroker())
        assistant = None if settings is None else live_assistant(store, settings, listener)
        if assistant is not None:
            stack.callback(assistant.close)
        far_end = FarEnd(
            Cloud(store, listener, assistant),
            broker.url,
            Seal(keys),
            on_event=lambda kind, facts: _pass_on(tell, kind, facts),
        )
        stack.enter_context(far_end)
        if keeping is not None:
            stack.enter_context(keeping(store, keys, deletion, tell))
        yield EmbeddedFarEnd(broker.url, far_end.wait_answered)


def deletion_of(own: DeletionSettings, keep: KeepSettings | None) -> DeletionSettings:
    """Fill in, from what the device is to keep, what a far end's `own` settings leave open."""
    more: dict[str, object] = {}
    if keep is not None and own.keep_days is None:
        more["keep_days"] = keep.clip_days
    if keep is not None and own.keep_mb is None and keep.clip_mb is not None:
        more |= {"keep_mb": keep.clip_mb, "when_full": "oldest"}
    return own.model_copy(update=more)


def _pass_on(tell: Callable[[str, Mapping[str, JSON]], None], kind: str, facts: Mapping[str, JSON]) -> None:
    if kind not in OWN_NEWS:
        tell(kind, facts)

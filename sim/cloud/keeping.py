"""Who keeps a far end's store tidy while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sim.cloud.settings import DeletionSettings
    from sim.cloud.store import ClipStore
    from uplink.keyring import Keyring
    from uplink.message import JSON


class Keeping(Protocol):
    """Deletes what has been kept long enough, for as long as its block runs; `sim.review.keeping.kept_daily` does."""

    def __call__(
        self,
        store: ClipStore,
        keys: Keyring,
        settings: DeletionSettings,
        tell: Callable[[str, Mapping[str, JSON]], None],
        /,
    ) -> AbstractContextManager[None]:
        """Begin; `tell` gets what it did, and what kept it from that."""
        ...

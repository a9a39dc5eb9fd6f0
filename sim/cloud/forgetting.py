"""Has devices forget what was deleted, and deletions end that were interrupted or ordered by another program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.cloud.service import Cloud
from uplink.message import JSON, Directive


@dataclass(frozen=True)
class News:
    """A device is there again; or, with a clip, has forgotten that one."""

    device: str
    clip: str | None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody who waits for a far end waits for it to take note of this, too."""
        return self.clip is not None


def news_of(kind: str, device: str, facts: Mapping[str, JSON]) -> News | None:
    """Give what a device's event or status (the kind) says about forgetting; most say nothing."""
    clip = facts.get("clip")
    if kind == "event" and facts.get("kind") == "delete_clip" and isinstance(clip, str):
        return News(device, clip)
    if kind == "status" and facts.get("state") == "online":
        return News(device, None)
    return None


class Forgetting:
    """One far end's part in deletions that concern devices; raises StoreAwayError while the store cannot be used."""

    def __init__(self, cloud: Cloud, direct: Callable[[str, Directive], bool]) -> None:
        self._cloud, self._direct = cloud, direct
        self._deaf: set[str] = set()  # devices that cannot be told anything until they are heard of

    def hear(self, news: News) -> None:
        """Take note of what a device says; one that was away may have missed what it was told."""
        deletions = self._cloud.store.deletions
        self._deaf.discard(news.device)
        if news.clip is None:
            deletions.tell_again(news.device)
        else:
            deletions.forgotten(news.device, news.clip)

    def look(self) -> None:
        """Carry on with deletions; to be called from time to time."""
        deletions = self._cloud.store.deletions
        deletions.resume()
        self._cloud.tidy()
        told = []
        for device, clip in deletions.untold():
            if device not in self._deaf:
                if self._direct(device, Directive("DeleteClip", clip)):
                    told.append(clip)
                else:
                    self._deaf.add(device)
        if told:
            deletions.told(told)

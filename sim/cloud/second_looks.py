"""Second looks at wake words, clip by clip: here and now, or beside a live device, which they must not hold up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from sim.cloud.store import Clip
from sim.cloud.verifier import Opening, Openings, Verdict, opening_of
from sim.errors import RecognizerError
from uplink.message import Part
from wakeword.sound import Samples

Given = TypeVar("Given")

_KEPT = 256
"""Verdicts that wait for the end of their clips."""
_LOOK_S = 30.0
"""How long the end of a clip waits for the look at its beginning."""


class Looker(Protocol):
    """Looks at openings; `Verifier` does, and `RecognizerProcess` in its own time."""

    def look(self, opening: Opening) -> Verdict | None:
        """Judge one; nothing where its word is not known. Raises RecognizerError."""
        ...


class SecondLooks:
    """Looks at the opening of each clip once there is enough of it; the verdict waits for the end of the clip.

    `beside`: the looks happen on a thread of their own, one after the other.
    """

    def __init__(self, looker: Looker | None, *, beside: bool = False) -> None:
        self._looker = looker
        self._openings = Openings()
        self._looks: dict[str, Future[Verdict | None]] = {}
        self._executor: Executor = ThreadPoolExecutor(1, "second-look") if beside else _Here()

    def push(self, part: Part, sound: Samples) -> tuple[Opening, Future[Verdict | None]] | None:
        """Take a part; give the opening of its clip and the look at it, once there is enough."""
        if self._looker is None or (opening := self._openings.push(part, sound)) is None:
            return None
        look = self._looks[opening.clip] = self._executor.submit(self._looker.look, opening)
        if len(self._looks) > _KEPT:
            self._looks.pop(next(iter(self._looks)), None)
        return opening, look

    def passed(self, clip: Clip, audio: Callable[[], Samples]) -> bool:
        """Whether nothing speaks against a whole clip, which is `audio()`; raises RecognizerError.

        A clip whose parts came to another receiver is looked at now.
        """
        if self._looker is None:
            return True
        look = self._looks.pop(clip.id, None)
        if look is not None:
            try:
                verdict = look.result(_LOOK_S)
            except TimeoutError:
                raise RecognizerError(f"the second look at clip {clip.id} took more than {_LOOK_S:g} s") from None
        elif clip.opening.get("initiator") == "wakeword":
            opening = opening_of(clip.id, clip.opening, clip.begin, audio(), whole=True)
            verdict = None if opening is None else self._looker.look(opening)
        else:
            verdict = None
        return verdict is None or verdict.passed

    def forget(self, clips: Collection[str]) -> int:
        """Let go of what there is of these clips; gives of how many that was something."""
        looked = sum(self._looks.pop(clip, None) is not None for clip in clips)
        return looked + self._openings.forget(clips)

    def close(self) -> None:
        """End the thread."""
        self._executor.shutdown(cancel_futures=True)


class _Here(Executor):
    """Does at once what it is given."""

    def submit(self, work: Callable[..., Given], /, *args: object, **named: object) -> Future[Given]:
        done: Future[Given] = Future()
        done.set_result(work(*args, **named))
        return done

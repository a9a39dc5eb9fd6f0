"""The far end on a broker: parts are stored as they come, and whole clips are answered beside that."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import TypeAlias

from sim.cloud.answer import Directed, Fact
from sim.cloud.claims import Watch
from sim.cloud.forgetting import Forgetting, News, news_of
from sim.cloud.quota import StoreFullError
from sim.cloud.serials import Serials
from sim.cloud.service import Cloud
from sim.errors import Refused, SimError, StoreAwayError, TakenOverError
from uplink.address import ANYBODY, Access
from uplink.inventory import Inquiry
from uplink.message import JSON, Directive, Part, Receipt
from uplink.receiver import Receiver
from uplink.seal import Seal

OnEvent: TypeAlias = Callable[[str, Mapping[str, JSON]], None]

_LOOK_S = 2.5
"""How often to look for clips that nobody answers: those of a receiver that was killed are taken over after 10 s."""
_BATCH = 64
"""Parts that are stored in one transaction at most; their receipts wait for the last of them."""
_SERIALS = 1_000
"""Directives for which one write to the database is enough."""
_WAITING_PARTS = 256
"""Parts taken from the broker and not yet stored; what comes beyond is left to the device to send again."""


class FarEnd:
    """A `Cloud` behind a `Receiver`: one thread stores and receipts, another listens to the clips and answers.

    Several of one `share`, in any number of programs, divide the work on one broker and one store between them: a part
    goes to any of them, and each clip is answered by one.

    `on_event(kind, facts)` is called one at a time, from several threads. Kinds: ``connected``, ``disconnected``
    (reason), ``stored`` (clip, number, last, samples), ``complete`` (clip, samples), those of what it makes of a
    clip (`docs/events.md`), ``unanswered`` (clip, reason), ``refused`` (reason, why), ``overrun`` (count),
    ``store_away`` (reason) and ``store_back`` (parts that were refused meanwhile), ``event`` and ``status`` (device,
    facts).
    """

    def __init__(
        self,
        cloud: Cloud,
        url: str,
        seal: Seal,
        *,
        on_event: OnEvent,
        clock_ns: Callable[[], int] = time.time_ns,
        access: Access = ANYBODY,
        share: str | None = None,
        look_s: float = _LOOK_S,
    ) -> None:
        """Prepare, without connecting; raises AddressError for a broker or a name of a share that cannot be.

        `clock_ns` is where the serials of directives begin, so that they grow also after the loss of the store.
        """
        self._cloud = cloud
        self._on_event = on_event
        self._telling = threading.Lock()
        self._parts: queue.SimpleQueue[Part | Inquiry | News | None] = queue.SimpleQueue()
        self._clips: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._state = threading.Condition()
        self._busy = 0  # parts and clips taken and not done with
        self._asked: set[str] = set()  # clips that were given to the answering thread, or are about to be
        self._watch = Watch(cloud.store.claims)
        self._forgetting = Forgetting(cloud, self.direct)
        block = _SERIALS if share is None else 1
        serials = Serials(lambda count: cloud.store.next_serial(clock_ns(), count), block)
        self._shared = share is not None
        self._look_s = look_s
        self._away: set[str] = (
            set()
        )  # who found that the store cannot be used: ``look`` or ``work``, or that it is ``full``
        self._turned_away = 0  # parts, since then
        self._overruns = 0
        self.directed = 0
        """Directives that were sent."""
        self._closing = False
        self._failure: BaseException | None = None
        self._receiver = Receiver(
            url,
            seal=seal,
            next_serial=serials.next,
            on_part=self._take,
            on_inquiry=self._take,
            on_event=partial(self._hear, "event"),
            on_status=partial(self._hear, "status"),
            on_refused=lambda error: self._tell("refused", {"reason": error.reason, "why": str(error)}),
            on_up=lambda: self._tell("connected", {}),
            on_down=lambda reason: self._tell("disconnected", {"reason": reason}),
            access=access,
            share=share,
        )
        cloud.decide_later(self._pass_on)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"far-end-{name}", daemon=True)
            for name, work in (("store", self._store), ("answer", self._answer), ("look", self._look_on))
        ]

    def start(self, strict: bool = False) -> None:
        """Connect and begin; clips that an earlier run left unanswered are answered now.

        With `strict`, raises LinkError where the broker cannot be had at once.
        """
        for clip in self._watch.look(alone=not self._shared):
            self._ask(clip)
        self._receiver.start(strict)
        for thread in self._threads:
            thread.start()

    def wait_answered(self, timeout_s: float) -> bool:
        """Wait until all that has come is stored, and answered where complete; False where that took longer."""
        with self._state:
            done = self._state.wait_for(lambda: self._failure is not None or self._busy == 0, timeout_s)
        self.check()
        return done

    def check(self) -> None:
        """Raise SimError where a thread of the far end has ended on an error."""
        if self._failure is not None:
            raise SimError(f"the far end has ended ({self._failure!r}); please report this bug") from self._failure

    def close(self) -> None:
        """Store and receipt what has come in, finish the clip at hand, and end; others, or the next start, answer."""
        store, answer, look = self._threads
        self._parts.put(None)
        self._join(store)
        self._closing = True
        self._clips.put(None)
        self._join(answer)
        self._ended.set()
        self._join(look)
        with suppress(StoreAwayError):  # then they find out by themselves
            self._cloud.store.claims.release()
        self._receiver.close()
        self.check()

    def __enter__(self) -> FarEnd:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _join(thread: threading.Thread) -> None:
        if thread.is_alive():
            thread.join()

    def _tell(self, kind: str, facts: Mapping[str, JSON]) -> None:
        with self._telling, self._recorded():
            self._on_event(kind, facts)

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Keep what ends a thread for `check`, also a SystemExit, which a thread would end on in silence."""
        try:
            yield
        except BaseException as error:  # raised again: it is only noted here
            with self._state:
                self._failure = self._failure or error
                self._state.notify_all()
            raise

    def _count(self, step: int) -> None:
        with self._state:
            self._busy += step
            self._state.notify_all()

    def _run(self, work: Callable[[], None]) -> None:
        with self._recorded():
            work()

    # On the network thread, which must not wait.

    def _take(self, part: Part | Inquiry) -> None:
        if self._parts.qsize() >= _WAITING_PARTS:
            self._overruns += 1
            self._tell("overrun", {"count": self._overruns})
            return
        self._count(+1)
        self._parts.put(part)

    def _hear(self, kind: str, device: str, facts: Mapping[str, JSON]) -> None:
        if (news := news_of(kind, device, facts)) is not None:
            self._count(int(news.is_awaited))
            self._parts.put(news)
        self._tell(kind, {"device": device, "facts": facts})

    # On the storing thread.

    def _store(self) -> None:
        while (came := self._come()) is not None:
            parts = [each for each in came if isinstance(each, Part)]
            try:
                if parts:
                    self._receive(parts)
                for each in came:
                    if isinstance(each, Inquiry):  # after what came with it: that is safe now
                        self._guarded(partial(self._take_stock, each), 0)
                    elif isinstance(each, News):
                        self._guarded(partial(self._forgetting.hear, each), 0)
            finally:
                self._count(-sum(not isinstance(each, News) or each.is_awaited for each in came))

    def _come(self) -> list[Part | Inquiry | News] | None:
        """Wait for what comes next, and give it with all that has come meanwhile; None at the end."""
        came: list[Part | Inquiry | News] = []
        try:
            while len(came) < _BATCH:
                each = self._parts.get_nowait() if came else self._parts.get()
                if each is None:
                    self._parts.put(None)  # and so it will be the next time
                    break
                came.append(each)
        except queue.Empty:
            pass
        return came or None

    def _receive(self, parts: list[Part]) -> None:
        """Store parts and answer them, in one go where that can be done."""
        alone = len(parts) == 1
        if self._guarded(partial(self._store_all, parts), int(alone)):
            self._find("full", None)
        elif not alone:
            for part in parts:  # what the store does not take of one must not stand in the way of the others
                if self._guarded(partial(self._store_all, [part]), 1):
                    self._find("full", None)

    def _guarded(self, work: Callable[[], None], parts: int) -> bool:
        """Do what needs the store, and tell whether that can be used; `parts` are turned away where it cannot."""
        try:
            work()
        except StoreAwayError as error:
            self._turned_away += parts
            self._find("full" if isinstance(error, StoreFullError) else "work", error)
            return False
        except SimError as error:
            self._tell("refused", {"reason": "not stored", "why": str(error)})
        else:
            self._find("work", None)
        return True

    def _take_stock(self, inquiry: Inquiry) -> None:
        self._receiver.publish_inventory(self._cloud.take_stock(inquiry))

    def _store_all(self, parts: list[Part]) -> None:
        answered = list(zip(parts, self._cloud.receive_all(parts), strict=True))
        receipts: list[Receipt] = []
        others: list[Directed | Fact] = []
        for part, answers in answered:
            if isinstance(answers, Refused):
                self._tell("refused", {"reason": answers.reason, "why": str(answers)})
                continue
            samples = part.end - part.begin
            self._tell("stored", {"clip": part.clip, "number": part.number, "last": part.last, "samples": samples})
            receipts += [each for each in answers if isinstance(each, Receipt)]
            others += [each for each in answers if not isinstance(each, Receipt)]
        self._receiver.publish_receipts(receipts)
        self._pass_on(others)
        completed = [receipt.clip for receipt in receipts if receipt.complete]
        if completed:  # on its own: where this fails, the clips are found by looking
            self._guarded(partial(self._take_on, completed), 0)

    def _take_on(self, completed: list[str]) -> None:
        """Claim complete clips, and give those that are this receiver's to the answering thread."""
        clips = list(filter(self._note, completed))
        lengths: dict[str, int] = {}
        try:
            lengths = self._cloud.store.lengths(self._cloud.store.claims.take_all(clips)) if clips else lengths
        finally:
            for clip in set(clips) - lengths.keys():
                self._forget(clip)
        for clip in filter(lengths.__contains__, clips):
            self._tell("complete", {"clip": clip, "samples": lengths[clip]})
            self._clips.put(clip)

    def _pass_on(self, decided: Iterable[Directed | Fact]) -> None:
        for each in decided:
            if isinstance(each, Fact):
                self._tell(each.kind, each.facts)
            else:
                self.direct(each.device, each.directive)

    def direct(self, device: str, directive: Directive) -> bool:
        """Send a directive, and say whether it is on its way; from any thread.

        It is lost where there is no connection, or the device is not known.
        """
        sent = False
        try:
            if sent := self._receiver.publish_directive(device, directive):
                with self._state:
                    self.directed += 1
        except SimError as error:
            self._tell("unanswered", {"clip": directive.clip, "reason": str(error)})
        return sent

    def _note(self, clip: str) -> bool:
        """Make sure that one thread gives a clip to be answered; from now on there is work to wait for."""
        with self._state:
            new = clip not in self._asked
            self._asked.add(clip)
            self._busy += new
        return new

    def _forget(self, clip: str) -> None:
        """Leave a clip to another receiver, or to the next look."""
        with self._state:
            self._asked.discard(clip)
        self._count(-1)

    def _ask(self, clip: str) -> None:
        if self._note(clip):
            self._clips.put(clip)

    # On the answering thread.

    def _answer(self) -> None:
        while (clip := self._clips.get()) is not None and not self._closing:
            try:
                self._answer_one(clip)
            except StoreAwayError as error:
                self._asked.discard(clip)  # it is asked for again once the store is back
                self._find("work", error)
            except SimError as error:
                if isinstance(error, TakenOverError):
                    self._asked.discard(clip)
                self._tell("unanswered", {"clip": clip, "reason": str(error)})
            self._count(-1)

    def _answer_one(self, clip: str) -> None:
        if self._cloud.store.claims.holds(clip):  # or another took it over while it waited here
            answer = self._cloud.answer(clip)
            self._pass_on([*answer.facts, *answer.directives])
        self._asked.discard(clip)

    # On the looking thread.

    def _look_on(self) -> None:
        while not self._ended.wait(self._look_s):
            with self._state:
                asked = set(self._asked)
            try:
                for clip in self._watch.look():
                    if clip not in asked:
                        self._ask(clip)
                self._forgetting.look()
            except StoreAwayError as error:
                self._find("look", error)
            else:
                self._find("look", None)

    def _find(self, finder: str, error: StoreAwayError | None) -> None:
        """Tell that the store is away, or back, where that is news."""
        with self._state:
            before = bool(self._away)
            (self._away.discard if error is None else self._away.add)(finder)
            after = bool(self._away)
            refused = self._turned_away
            if before and not after:
                self._turned_away = 0
        if after and not before:
            self._tell("store_away", {"reason": str(error)})
        elif before and not after:
            self._tell("store_back", {"refused": refused})

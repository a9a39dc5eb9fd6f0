"""The far end on a broker: parts are stored as they come, and whole clips are answered beside that."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TypeAlias

from sim.cloud.service import Cloud
from sim.errors import Refused, SimError
from uplink.address import ANYBODY, Access
from uplink.inventory import Inquiry
from uplink.message import JSON, Directive, Part, Receipt
from uplink.receiver import Receiver
from uplink.seal import Seal

OnEvent: TypeAlias = Callable[[str, Mapping[str, JSON]], None]

_WAITING_PARTS = 256
"""Parts taken from the broker and not yet stored; what comes beyond is left to the device to send again."""


class FarEnd:
    """A `Cloud` behind a `Receiver`: one thread stores and receipts, another listens to the clips and answers.

    `on_event(kind, facts)` is called one at a time, from several threads. Kinds: ``connected``, ``disconnected``
    (reason), ``stored`` (clip, number, last, samples), ``complete`` (clip, samples), ``transcript`` (clip, text,
    recognizer), ``unanswered`` (clip, reason), ``refused`` (reason, why), ``overrun`` (count), ``event`` and ``status``
    (device, facts).
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
    ) -> None:
        """Prepare, without connecting; raises AddressError for a broker that cannot be.

        `clock_ns` is where the serials of directives begin, so that they grow also after the loss of the store.
        """
        self._cloud = cloud
        self._on_event = on_event
        self._telling = threading.Lock()
        self._parts: queue.SimpleQueue[Part | Inquiry | None] = queue.SimpleQueue()
        self._clips: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._state = threading.Condition()
        self._busy = 0  # parts and clips taken and not done with
        self._asked: set[str] = set()  # clips that were given to the answering thread
        self._overruns = 0
        self._closing = False
        self._failure: BaseException | None = None
        self._receiver = Receiver(
            url,
            seal=seal,
            next_serial=lambda: cloud.store.next_serial(clock_ns()),
            on_part=self._take,
            on_inquiry=self._take,
            on_event=lambda device, facts: self._tell("event", {"device": device, "facts": facts}),
            on_status=lambda device, facts: self._tell("status", {"device": device, "facts": facts}),
            on_refused=lambda error: self._tell("refused", {"reason": error.reason, "why": str(error)}),
            on_up=lambda: self._tell("connected", {}),
            on_down=lambda reason: self._tell("disconnected", {"reason": reason}),
            access=access,
        )
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
            for name, work in (("far-end-store", self._store), ("far-end-answer", self._answer))
        ]

    def start(self, strict: bool = False) -> None:
        """Connect and begin; clips that an earlier run left unanswered are answered now.

        With `strict`, raises LinkError where the broker cannot be had at once.
        """
        for clip in self._cloud.store.unanswered():
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
        """Store and receipt what has come in, finish the clip at hand, and end; the next start answers the others."""
        self._parts.put(None)
        self._join(self._threads[0])
        self._closing = True
        self._clips.put(None)
        self._join(self._threads[1])
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
        except BaseException as error:
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

    # On the storing thread.

    def _store(self) -> None:
        while (came := self._parts.get()) is not None:
            try:
                if isinstance(came, Part):
                    self._reply(came, self._cloud.receive(came))
                else:
                    self._receiver.publish_inventory(self._cloud.take_stock(came))
            except SimError as error:
                reason = error.reason if isinstance(error, Refused) else "not stored"
                self._tell("refused", {"reason": reason, "why": str(error)})
            self._count(-1)

    def _reply(self, part: Part, answers: list[Receipt | Directive]) -> None:
        samples = part.end - part.begin
        self._tell("stored", {"clip": part.clip, "number": part.number, "last": part.last, "samples": samples})
        for answer in answers:
            if isinstance(answer, Directive):
                self.direct(part.device, answer)
                continue
            self._receiver.publish_receipt(answer)
            if answer.complete and part.clip not in self._asked and self._cloud.store.transcript(part.clip) is None:
                clip = self._cloud.store.clip(part.clip)
                assert clip is not None  # it has just been stored
                self._tell("complete", {"clip": clip.id, "samples": clip.end - clip.begin})
                self._ask(clip.id)

    def direct(self, device: str, directive: Directive) -> None:
        """Send a directive; it is lost where there is no connection, or the device is not known. From any thread."""
        try:
            self._receiver.publish_directive(device, directive)
        except SimError as error:
            self._tell("unanswered", {"clip": directive.clip, "reason": str(error)})

    def _ask(self, clip: str) -> None:
        self._asked.add(clip)
        self._count(+1)
        self._clips.put(clip)

    # On the answering thread.

    def _answer(self) -> None:
        while (clip := self._clips.get()) is not None and not self._closing:
            try:
                answer = self._cloud.answer(clip)
            except SimError as error:
                self._tell("unanswered", {"clip": clip, "reason": str(error)})
            else:
                self._asked.discard(clip)  # from now on the stored transcript says so
                heard = answer.transcript
                self._tell("transcript", {"clip": clip, "text": heard.text, "recognizer": heard.recognizer})
                for directive in answer.directives:
                    self.direct(answer.device, directive)
            self._count(-1)

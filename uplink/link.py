"""A way to a broker that comes back by itself."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from uplink.address import ANYBODY, Access, Address
from uplink.connection import Client, Connection, OnMessage, Version, Will
from uplink.envelope import JSON
from uplink.errors import LinkError
from uplink.profiles import Limits, Pacer
from uplink.reasons import NO_MATCHING_SUBSCRIBERS, SUCCESS, explained
from uplink.tls import client_context

__all__ = ["Link", "OnMessage", "OnNotice", "Will", "backoff_s"]

_CONNECT_S = 5.0
"""For each step: to reach the broker, to agree on TLS, and to be accepted."""
_CLOSE_S = 2.0
_FIRST_RETRY_S = 0.2
_LAST_RETRY_S = 30.0

OnNotice: TypeAlias = Callable[[str, Mapping[str, JSON]], None]


def backoff_s(attempt: int, generator: random.Random) -> float:
    """Seconds to wait after failed attempt 0, 1, ...: doubling, capped, and jittered, lest a fleet come at once."""
    return min(_FIRST_RETRY_S * 2.0 ** min(attempt, 16), _LAST_RETRY_S) * generator.uniform(0.5, 1.0)


class Link:
    """A connection that comes back by itself, and says when it is up and when it is down.

    The callbacks run on the link's own thread, `on_notice` also on that of `publish`: they hand over and return.
    `on_up` comes after the broker has accepted every subscription, `on_down(reason)` when that ends or does not come
    about, and again when that has another reason. What a callback raises ends the link and comes out of the next
    `publish` or `close` as LinkError.

    `on_notice(kind, facts)` passes on what becomes of messages at QoS 1: ``unheard`` (topic) where nobody listens,
    ``rejected`` (topic, reason) where the broker does not take them; once, until that topic's messages fare otherwise.
    Only MQTT 5 says so much. It is tried first where the limits of `access` allow, and 3.1.1 where the broker refuses.

    Nothing is queued while the link is down: each connection begins empty, and the owner repeats what counts.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        topics: Sequence[str],
        on_message: OnMessage,
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        on_notice: OnNotice = lambda _kind, _facts: None,
        will: Will | None = None,
        access: Access = ANYBODY,
        session_s: int = 0,
        clock: Callable[[], float] = time.monotonic,
        generator: random.Random | None = None,
    ) -> None:
        """Prepare, without connecting; raises AddressError for a URL or a file that cannot be used.

        On MQTT 5 the broker keeps what comes for this client for `session_s` after the connection is lost. `clock`
        (seconds, monotonic) and `generator` (of the jitter) are handed in where a run must be repeatable.
        """
        self.address = Address.parse(url, allow_plain=access.allow_plain)
        if self.address.secure:
            client_context(access, self.address)  # so that a wrong file is told now
        self._access = access
        self._on_up = on_up
        self._on_down = on_down
        self._on_notice = on_notice
        self._clock = clock
        self._generator = generator or random.Random()
        self._client = Client(
            name=client_id,
            topics=tuple(topics),
            will=will,
            session_s=session_s,
            step_s=_CONNECT_S,
            clock=clock,
            on_up=self._rise,
            on_message=lambda topic, payload: self._guarded(on_message, topic, payload),
            on_fate=self._learn,
        )
        self._state = threading.Condition()
        self._connection: Connection | None = None
        self._limits = access.limits
        self._pacer = Pacer(access.limits.publishes_per_s)
        self._settled = False  # the first attempt has ended, one way or the other
        self._reason = ""
        self._told_up = False
        self._failure: Exception | None = None
        self._closing = False
        # Only the link's own thread touches these.
        self._version: Version = "5" if access.limits.mqtt5 else "3.1.1"
        self._proven = not access.limits.mqtt5  # the broker has answered in this version
        self._fates: dict[str, int] = {}  # the newest reason code of each topic
        self._thread = threading.Thread(target=self._run, name=f"link-{client_id}", daemon=True)

    def open(self, strict: bool = False) -> None:
        """Begin to connect, and keep at it until `close`.

        With `strict` the first attempt must succeed within some seconds; LinkError says in one sentence why it did not.
        """
        self._thread.start()
        if not strict:
            return
        with self._state:
            self._state.wait_for(lambda: self._settled, 6 * _CONNECT_S)
            up, reason = self._told_up, self._reason
        if not up:
            self.close()
            raise LinkError(reason or f"the broker at {self.address} does not answer; check that it speaks MQTT")

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> bool:
        """Hand a message to the link's thread; False, and nothing kept, while the link is down.

        True promises no delivery: what the broker does not take is told through `on_notice`. On MQTT 5 a message that
        could not be delivered within `expiry_s` is dropped.
        """
        with self._state:
            self._check()
            if self._connection is None or not self._connection.up:
                return False
            refusal = self._limits.refusal(topic, len(payload))
            if refusal is None:
                self._pacer.take(self._clock())
                return self._connection.publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)
        self._on_notice("rejected", {"topic": topic, "reason": refusal})
        return True

    @property
    def limits(self) -> Limits:
        """What the broker takes: its profile, and what it has said itself at the newest connection."""
        with self._state:
            return self._limits

    @property
    def version(self) -> Version:
        """The version of MQTT that is spoken; settled once the link is up."""
        return self._version

    def wait_s(self) -> float:
        """Seconds to wait before the next `publish`, so that the broker's rate is kept; 0 where it may come now.

        Every publish counts; one that does not wait makes the next wait longer.
        """
        with self._state:
            return self._pacer.wait_s(self._clock())

    def close(self) -> None:
        """Say goodbye to the broker, so that the will is not sent, and end the link's thread; within seconds."""
        with self._state:
            self._closing = True
            connection = self._connection
            self._state.notify_all()
        if connection is not None:
            connection.leave()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_S)
            if connection is not None:  # a broker that no longer reads would hold the goodbye for ever
                connection.abandon()
            self._thread.join(2 * _CONNECT_S)
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise LinkError(
                f"the link to {self.address} ended ({self._failure!r}); please report this bug"
            ) from self._failure

    # From here on, everything runs on the link's own thread.

    def _run(self) -> None:
        attempt = 0
        while not self._closing:
            began = self._clock()
            reason, answered = self._connect()
            if self._try_other_version(answered):
                continue
            self._fall(reason)
            pause = backoff_s(attempt, self._generator)
            # One that is accepted and thrown out at once, time after time, waits longer too.
            attempt = 0 if answered and self._clock() - began > pause else attempt + 1
            with self._state:
                self._state.wait_for(lambda: self._closing, pause)

    def _connect(self) -> tuple[str, bool]:
        """Stay connected as long as it goes; gives why it ended, and whether the broker had answered."""
        connection = Connection(self.address, self._access, self._client, self._version)
        with self._state:
            if self._closing:
                return "", True
            self._connection = connection
        reason = connection.run()
        with self._state:
            self._connection = None
        return reason, connection.answered

    def _try_other_version(self, answered: bool) -> bool:
        """Turn to MQTT 3.1.1 where the broker has refused 5 or hung up on it, and back where that is no better."""
        self._proven = self._proven or answered
        if self._proven or self._closing:
            return False
        self._version = "3.1.1" if self._version == "5" else "5"
        return self._version == "3.1.1"

    def _rise(self) -> None:
        with self._state:
            assert self._connection is not None
            self._limits = self._connection.limits
            self._told_up, self._settled = True, True
            self._state.notify_all()
        self._fates.clear()
        self._guarded(self._on_up)

    def _fall(self, reason: str) -> None:
        with self._state:
            news = (self._told_up or reason != self._reason) and not self._closing
            self._told_up, self._settled, self._reason = False, True, reason
            self._state.notify_all()
        if news:
            self._guarded(self._on_down, reason)

    def _learn(self, topic: str, code: int, name: str) -> None:
        """Pass on how a message fared, where that is news."""
        if self._fates.get(topic, SUCCESS) == code:
            return
        self._fates[topic] = code
        if code == NO_MATCHING_SUBSCRIBERS:
            self._guarded(self._on_notice, "unheard", {"topic": topic})
        elif code != SUCCESS:
            self._guarded(self._on_notice, "rejected", {"topic": topic, "reason": explained(name)})

    def _guarded(self, callback: Callable[..., None], *args: Any) -> None:
        if self._failure is not None:
            return
        try:
            callback(*args)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next publish or close raises it
            with self._state:
                self._failure, self._closing = error, True
                connection = self._connection
            if connection is not None:
                connection.leave()

"""One connection to a broker; the only file that knows paho."""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from uplink.address import ANYBODY, Access, Address
from uplink.errors import LinkError
from uplink.profiles import Limits, Pacer

_KEEPALIVE_S = 20
_CONNECT_S = 5.0
_CLOSE_S = 2.0
_FIRST_RETRY_S = 0.2
_LAST_RETRY_S = 30.0

OnMessage: TypeAlias = Callable[[str, bytes], None]


@dataclass(frozen=True)
class Will:
    """What the broker says, retained, when this client is lost without a word."""

    topic: str
    payload: bytes


class Link:
    """A connection that comes back by itself, and says when it is up and when it is down.

    The callbacks run on the network thread: they hand over and return. `on_up` comes after the broker has accepted
    every subscription, `on_down(reason)` when that ends or does not come about. What a callback raises ends the link
    and comes out of the next `publish` or `close` as LinkError.

    Nothing is queued while the link is down: paho would keep such a message and send it later, beside its repetition.
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
        will: Will | None = None,
        access: Access = ANYBODY,
    ) -> None:
        """Prepare, without connecting; raises AddressError for a URL that cannot be used."""
        self.address = Address.parse(url, allow_plain=access.allow_plain)
        self._limits = access.limits
        self._pacer = Pacer(access.limits.publishes_per_s)
        self._topics = list(topics)
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._state = threading.Condition()
        self._up = False
        self._settled = False  # the first attempt has ended, one way or the other
        self._reason = ""
        self._attempts = 0
        self._failure: Exception | None = None
        self._closing = False
        self._gone = False
        self._client = self._make(client_id, will)

    def _make(self, client_id: str, will: Will | None) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=True, protocol=mqtt.MQTTv311)
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(0)  # the sender keeps its own window
        if self.address.user is not None:
            client.username_pw_set(self.address.user, self.address.password)
        if self.address.secure:
            client.tls_set_context(ssl.create_default_context())
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_socket_open = _send_at_once
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        return client

    def open(self, strict: bool = False) -> None:
        """Begin to connect, and keep at it until `close`.

        With `strict` the first attempt must succeed within some seconds; LinkError says in one sentence why it did not.
        """
        if strict:
            try:
                self._client.connect(self.address.host, self.address.port, _KEEPALIVE_S)
            except OSError as error:
                raise LinkError(self._absent(error)) from None
        else:
            self._client.connect_async(self.address.host, self.address.port, _KEEPALIVE_S)
        self._client.loop_start()
        if strict:
            with self._state:
                self._state.wait_for(lambda: self._settled, _CONNECT_S)
                up, reason = self._up, self._reason
            if not up:
                self.close()
                raise LinkError(reason or f"the broker at {self.address} does not answer; check that it speaks MQTT")

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        """Hand a message to the network thread; False, and nothing kept, while the link is down."""
        with self._state:
            self._check()
            if not self._up:
                return False
            self._pacer.take(time.monotonic())
            return self._client.publish(topic, payload, qos=qos, retain=retain).rc == mqtt.MQTT_ERR_SUCCESS

    @property
    def limits(self) -> Limits:
        """What the broker takes: its profile, and what it has said itself at the newest connection."""
        with self._state:
            return self._limits

    def wait_s(self) -> float:
        """Seconds to wait before the next `publish`, so that the broker's rate is kept; 0 where it may come now.

        Every publish counts; one that does not wait makes the next wait longer.
        """
        with self._state:
            return self._pacer.wait_s(time.monotonic())

    def close(self) -> None:
        """Say goodbye to the broker, so that the will is not sent, and end the network thread; within seconds."""
        with self._state:
            self._closing = True
        self._client.disconnect()
        if (connection := self._client.socket()) is not None:
            with self._state:
                gone = self._state.wait_for(lambda: self._gone, _CLOSE_S)
            if not gone:  # a broker that no longer reads would hold the network thread for ever
                with suppress(OSError):
                    cast(socket.socket, connection).shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise LinkError(
                f"the link to {self.address} ended ({self._failure!r}); please report this bug"
            ) from self._failure

    # Called by paho, on its network thread.

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._fall(f"the broker at {self.address} refuses ({str(code).lower()}); check user name and password")
        elif self._topics:
            client.subscribe([(name, 1) for name in self._topics])
        else:
            self._rise()

    def _subscribed(self, _client: Any, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self._fall(f"the broker at {self.address} refuses a subscription; check the rights of this user")
        else:
            self._rise()

    def _unreachable(self, _client: Any, _data: Any) -> None:
        self._back_off()
        self._fall(self._absent(None))

    def _disconnected(self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._back_off()
        self._fall(f"the connection to {self.address} ended ({str(code).lower()})")
        client.drop_out_messages()  # the owner repeats what was not receipted; paho must not do so too
        with self._state:
            self._gone = self._closing
            self._state.notify_all()

    def _received(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            name = message.topic
        except UnicodeDecodeError:
            name = "\N{REPLACEMENT CHARACTER}"
        self._guarded(self._on_message, name, message.payload)

    def _rise(self) -> None:
        with self._state:
            self._up, self._reason, self._attempts, self._settled = True, "", 0, True
            self._state.notify_all()
        self._guarded(self._on_up)

    def _fall(self, reason: str) -> None:
        with self._state:
            news = (self._up or not self._settled) and not self._closing
            self._up, self._settled = False, True
            self._reason = self._reason or reason
            self._state.notify_all()
        if news:
            self._guarded(self._on_down, reason)

    def _back_off(self) -> None:
        """Set the wait before the next attempt: doubling, capped, jittered so that a fleet does not come at once."""
        delay_s = min(_FIRST_RETRY_S * 2**self._attempts, _LAST_RETRY_S) * random.uniform(0.5, 1.0)
        self._attempts = min(self._attempts + 1, 16)
        self._client.reconnect_delay_set(delay_s, delay_s)

    def _guarded(self, callback: Callable[..., None], *args: Any) -> None:
        try:
            callback(*args)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next publish or close raises it
            with self._state:
                self._failure, self._up = error, False
            self._client.disconnect()

    def _absent(self, error: OSError | None) -> str:
        why = f" ({error.strerror or error})" if error is not None else ""
        return f"no broker answers at {self.address}{why}; start one there or name another with --broker"


def _send_at_once(_client: Any, _data: Any, connection: Any) -> None:
    """Without this, TCP holds a receipt back behind the PUBACK before it: 40 ms at each end."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

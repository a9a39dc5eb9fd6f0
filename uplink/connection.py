"""One connection to a broker, from the first byte to the last; the only file that knows paho."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from uplink.address import Access, Address
from uplink.envelope import VERSION
from uplink.errors import AddressError
from uplink.reasons import UNSPECIFIED, UNSUPPORTED_VERSION, explained
from uplink.tls import TellingSocket, client_context, fault_sentence, no_tls

Version: TypeAlias = Literal["3.1.1", "5"]
OnMessage: TypeAlias = Callable[[str, bytes], None]

CONTENT_TYPE = "application/vnd.misheard"
_KEEPALIVE_S = 20
_VERDICT_S = 0.5
"""How long to wait for what the broker makes of our certificate, which TLS 1.3 leaves open at first. It shows by a
session ticket or by an alert, and the alert is lost where something was sent to a broker that has hung up."""
_LOOK_S = 5.0
"""How often to see whether it is time for a ping."""


@dataclass(frozen=True)
class Will:
    """What the broker says, retained, when this client is lost without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True)
class Client:
    """Who connects, and what it wants: the same for every connection of a link.

    `on_fate(topic, code, name)` tells how each message at QoS 1 fared: the reason code of its acknowledgement and that
    code's name; always 0 before MQTT 5. On MQTT 5 the broker keeps what comes for this client for `session_s` after the
    connection is lost. `step_s` is how long to wait for the broker, for TLS, and for being accepted, each.
    """

    name: str
    topics: Sequence[str]
    will: Will | None
    session_s: int
    step_s: float
    clock: Callable[[], float]
    on_up: Callable[[], None]
    on_message: OnMessage
    on_fate: Callable[[str, int, str], None]


class _Message(NamedTuple):
    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: Properties | None


class Connection:
    """Used once: `run` on a thread of its own, the other methods from any thread. The callbacks run within `run`.

    `answered` is whether the broker has said that it speaks this version of MQTT, `up` whether it has also accepted
    every subscription; `limits` are what it takes.
    """

    def __init__(self, address: Address, access: Access, client: Client, version: Version) -> None:
        """Prepare, without connecting."""
        self.answered = False
        self.up = False
        self.limits = access.limits
        self.socket: socket.socket | None = None
        self._address = address
        self._access = access
        self._who = client
        self._v5 = version == "5"
        self._plain = self._properties(PacketTypes.PUBLISH)  # of every message that does not expire
        self._paho: mqtt.Client | None = None
        self._leaving = False
        self._abandoned = False
        self._ended: str | None = None  # why it has ended, or must
        self._sending = threading.Lock()
        self._sent: dict[int, str] = {}  # topics of what is not acknowledged, by message id
        self._waiting: deque[_Message] = deque()  # for one to be acknowledged
        self._acknowledged: deque[tuple[int, ReasonCode]] = deque()
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)

    def run(self) -> str:
        """Connect, and stay until that ends; gives why, in one sentence."""
        try:
            return self._run()
        finally:
            self.up = False
            self._bell.close()
            self._ringer.close()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, expiry_s: int | None) -> bool:
        """Queue a message while `up`; False where the connection has just ended."""
        paho = self._paho
        if paho is None:
            return False
        properties = self._plain
        if properties is not None and expiry_s is not None:
            properties = self._properties(PacketTypes.PUBLISH)
            assert properties is not None
            properties.MessageExpiryInterval = expiry_s
        message = _Message(topic, payload, qos, retain, properties)
        with self._sending:  # or the acknowledgement could come before the topic is noted
            if qos and self.limits.in_flight is not None and len(self._sent) >= self.limits.in_flight:
                self._waiting.append(message)
                return True
            taken = self._put(paho, message)
        self._ring()
        return taken

    def _put(self, paho: mqtt.Client, message: _Message) -> bool:
        info = paho.publish(*message)
        if message.qos:
            self._sent[info.mid] = message.topic
        return info.rc == mqtt.MQTT_ERR_SUCCESS

    def leave(self) -> None:
        """Say goodbye, so that the will is not sent; `run` returns soon."""
        self._leaving = True
        if self._paho is not None:
            self._paho.disconnect()
        self._ring()

    def abandon(self) -> None:
        """Leave without a word."""
        self._abandoned = True
        self._ring()

    def _ring(self) -> None:
        with suppress(OSError):  # it has been rung often enough, or the connection has ended
            self._ringer.send(b"!")

    # From here on, everything runs within `run`.

    def _run(self) -> str:
        try:
            paho = self._make()
            paho.connect(self._address.host, self._address.port, _KEEPALIVE_S, **self._connect_options())
        except AddressError as error:  # a certificate that is no longer what it was
            return str(error)
        except ssl.SSLError as error:
            self.answered = True  # the version of MQTT is not what is wrong
            return fault_sentence(error, self._address)
        except OSError as error:
            return self._absent(error)
        self.socket = connection = cast(socket.socket, paho.socket())
        self._paho = paho
        if self._leaving:
            paho.disconnect()
        try:
            self._serve(paho, connection)
        finally:
            self._paho = None
            connection.close()
        if isinstance(connection, TellingSocket) and connection.fault is not None:
            self.answered = True
            return fault_sentence(connection.fault, self._address)
        return self._ended or self._silent()

    def _make(self) -> mqtt.Client:
        paho = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            self._who.name,
            clean_session=None if self._v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,  # it would send again what its owner sends again
        )
        paho.connect_timeout = self._who.step_s
        paho.max_inflight_messages_set(0)  # it cannot learn from the broker how many that takes
        if self._address.user is not None:
            paho.username_pw_set(self._address.user, self._address.password)
        if self._address.secure:
            paho.tls_set_context(client_context(self._access, self._address))
        if (will := self._who.will) is not None:
            paho.will_set(
                will.topic, will.payload, 1, retain=True, properties=self._properties(PacketTypes.WILLMESSAGE)
            )
        paho.on_socket_open = _send_at_once
        paho.on_socket_register_write = _leave_it  # or it would write on the thread of whoever publishes
        paho.on_connect = self._connected
        paho.on_subscribe = self._subscribed
        paho.on_disconnect = self._disconnected
        paho.on_message = self._received
        # It holds a lock that `publish` needs, so that this may only take a note.
        paho.on_publish = lambda _paho, _data, mid, code, _properties: self._acknowledged.append((mid, code))
        return paho

    def _connect_options(self) -> dict[str, Any]:
        if not self._v5:
            return {}
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._who.session_s
        return {"clean_start": self._who.session_s == 0, "properties": properties}

    def _properties(self, packet: int) -> Properties | None:
        if not self._v5:
            return None
        properties = _properties(packet)
        properties.ContentType = CONTENT_TYPE
        return properties

    def _serve(self, paho: mqtt.Client, connection: socket.socket) -> None:
        """Carry bytes until the connection ends. With poll, because paho's own select fails beyond 1,024 open files."""
        deadline = self._who.clock() + self._who.step_s
        pending: Callable[[], int] = getattr(connection, "pending", int)
        poll = selectors.PollSelector()
        poll.register(self._bell, selectors.EVENT_READ)
        poll.register(connection, wanted := selectors.EVENT_READ)
        if isinstance(connection, TellingSocket) and poll.select(_VERDICT_S):
            self._read(paho)
        while self._ended is None and not self._abandoned:
            if paho.want_write():
                paho.loop_write()
            if paho.socket() is None:
                break
            before, wanted = wanted, selectors.EVENT_READ | (selectors.EVENT_WRITE if paho.want_write() else 0)
            if wanted != before:
                poll.modify(connection, wanted)
            _acknowledge_at_once(connection)
            patience = _LOOK_S if self.up else min(_LOOK_S, max(0.0, deadline - self._who.clock()))
            ready = {key.fileobj: events for key, events in poll.select(0 if pending() else patience)}
            if self._bell in ready:
                with suppress(BlockingIOError):
                    self._bell.recv(4096)
            if pending() or ready.get(connection, 0) & selectors.EVENT_READ:
                self._read(paho)
            paho.loop_misc()
            if not self.up and self._who.clock() >= deadline:
                self._ended = self._ended or self._silent()

    def _read(self, paho: mqtt.Client) -> None:
        try:
            paho.loop_read()
        except Exception as error:  # noqa: BLE001 - paho lets through whatever its decoders trip over
            self._ended = f"what answers at {self._address} speaks no MQTT ({error}); name the address of a broker"
        while self._acknowledged:
            mid, code = self._acknowledged.popleft()
            with self._sending:
                topic = self._sent.pop(mid, None)
                if self._waiting:
                    self._put(paho, self._waiting.popleft())
            if topic is not None:
                self._who.on_fate(topic, code.value, str(code))

    def _connected(self, paho: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        self.answered = code.value != UNSUPPORTED_VERSION
        if code.is_failure:
            self._ended = f"the broker at {self._address} refuses {explained(str(code))}"
            return
        self.limits = self.limits.tightened(
            packet_bytes=getattr(properties, "MaximumPacketSize", None),
            in_flight=getattr(properties, "ReceiveMaximum", None),
        )
        if self._who.topics:
            options: Any = SubscribeOptions(qos=1) if self._v5 else 1
            paho.subscribe([(name, options) for name in self._who.topics])
        else:
            self._rise()

    def _subscribed(self, _paho: Any, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        refused = [str(code) for code in codes if code.is_failure]
        if refused:
            reason = explained(refused[0], "check the rights of this user")
            self._ended = f"the broker at {self._address} refuses a subscription {reason}"
        else:
            self._rise()

    def _rise(self) -> None:
        self.up = True
        self._who.on_up()

    def _received(self, _paho: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            name = message.topic
        except UnicodeDecodeError:
            name = "\N{REPLACEMENT CHARACTER}"
        self._who.on_message(name, bytes(message.payload))

    def _disconnected(self, _paho: Any, _data: Any, flags: Any, code: ReasonCode, _properties: Any) -> None:
        if self._ended is not None:
            return
        said = f"({'lost' if code.value == UNSPECIFIED else str(code).lower()})"
        if flags.is_disconnect_packet_from_server:
            said = explained(str(code))
        elif not self.answered and self._address.secure:
            said = "before a word was said; the broker's log says whether it accepts the certificate of this end"
        elif not self.answered:
            said = "before a word was said; where the broker wants TLS, write mqtts://"
        self._ended = f"the connection to {self._address} ended {said}"

    def _silent(self) -> str:
        return f"the broker at {self._address} does not answer; check that it speaks MQTT"

    def _absent(self, error: OSError) -> str:
        why = "timed out" if isinstance(error, TimeoutError) else error.strerror or str(error)
        if (
            self._address.secure
            and isinstance(error, ConnectionError)
            and not isinstance(error, ConnectionRefusedError)
        ):
            return no_tls(self._address, why)
        return f"no broker answers at {self._address} ({why}); start one there or name another with --broker"


def _properties(packet: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.UserProperty = ("misheard", str(VERSION))
    return properties


def _send_at_once(_paho: Any, _data: Any, connection: Any) -> None:
    """Without this, TCP holds a receipt back behind the PUBACK before it: 40 ms at each end."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _acknowledge_at_once(connection: socket.socket) -> None:
    """Without this, a broker that gathers small packets holds the next one back until TCP here acknowledges the last.

    That takes 40 ms where nothing is to be sent. Linux forgets it, so that it is said again and again.
    """
    if hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _leave_it(_paho: Any, _data: Any, _connection: Any) -> None:
    """Take no notice: `_serve` asks what is to be written."""

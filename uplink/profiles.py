"""What brokers take: named limits, and a pacer that keeps publishes under a rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

_OVERHEAD_BYTES = 128
"""Most that a packet holds beside topic and payload: lengths, and the properties that a link sets."""


@dataclass(frozen=True)
class Limits:
    """What one broker takes; None where no limit is known.

    `payload_bytes` of a message, `packet_bytes` of all that goes over the wire for it, `topic_slashes` in a topic,
    `publishes_per_s` and `in_flight` (publishes at QoS 1 that are not acknowledged) of one connection. `mqtt5` is
    whether it is worth trying MQTT 5; 3.1.1 is what every broker speaks.
    """

    payload_bytes: int | None = None
    packet_bytes: int | None = None
    topic_slashes: int | None = None
    publishes_per_s: int | None = None
    in_flight: int | None = None
    mqtt5: bool = True

    def tightened(self, *, packet_bytes: int | None = None, in_flight: int | None = None) -> Limits:
        """These limits and what the broker itself has said."""
        return replace(
            self,
            packet_bytes=_smaller(self.packet_bytes, packet_bytes),
            in_flight=_smaller(self.in_flight, in_flight),
        )

    def refusal(self, topic: str, size: int) -> str | None:
        """Say why a payload of this many bytes cannot be published there; None where it can."""
        if self.payload_bytes is not None and size > self.payload_bytes:
            return f"packet too large: {size} bytes, and the broker takes messages of {self.payload_bytes}"
        packet = size + len(topic.encode()) + _OVERHEAD_BYTES
        if self.packet_bytes is not None and packet > self.packet_bytes:
            return f"packet too large: {packet} bytes, and the broker takes packets of {self.packet_bytes}"
        if self.topic_slashes is not None and topic.count("/") > self.topic_slashes:
            return f"topic too deep: {topic.count('/')} slashes, and the broker takes {self.topic_slashes}"
        return None


PROFILES: Mapping[str, Limits] = {
    # amqtt speaks no MQTT 5, and names no limits.
    "embedded": Limits(mqtt5=False),
    # From 2.1 on; before, only what MQTT itself allows.
    "mosquitto": Limits(packet_bytes=2_000_000),
    "aws-iot-core": Limits(payload_bytes=128 * 1024, topic_slashes=7, publishes_per_s=100, in_flight=100),
}
"""By the name in `uplink.broker_profile`. On MQTT 5 what the broker says of itself counts too."""


class Pacer:
    """Keeps publishes under a rate: whoever waits `wait_s` before each `take` never takes more in any one second.

    A token bucket on a clock that is handed in: `now` is in seconds, from any beginning, and does not go back. A tenth
    of the rate may come at once, the rest is spread, so that both together are the rate.
    """

    def __init__(self, per_s: int | None) -> None:
        """Allow this many a second, at least 1; None allows any number."""
        self._room = 0.0 if per_s is None else max(1.0, per_s // 10)
        self._rate = 0.0 if per_s is None else max(1.0, per_s - self._room)
        self._tokens = self._room
        self._then: float | None = None

    def wait_s(self, now: float) -> float:
        """Seconds until the next may be taken; 0 where it may be now. Changes nothing."""
        lacking = 1.0 - self._tokens_at(now)
        return 0.0 if self._rate == 0.0 or lacking <= 1e-9 else lacking / self._rate

    def take(self, now: float) -> None:
        """Count one. One taken too early is owed: the next wait longer."""
        self._tokens = self._tokens_at(now) - 1.0
        self._then = now

    def _tokens_at(self, now: float) -> float:
        past = 0.0 if self._then is None else max(0.0, now - self._then)
        return min(self._room, self._tokens + past * self._rate)


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)

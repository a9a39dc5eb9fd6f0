"""What others on the broker can learn or alter: a second device, and an operator who reads and says what he likes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.cloud.answer import Answer, Directed
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript
from tests.uplink_kit import DEADLINE_S, Counter, Diary, Keys, cut, free_port, mosquitto, noise
from uplink import message
from uplink.broker import EmbeddedBroker
from uplink.envelope import canonical, pack
from uplink.errors import MessageError
from uplink.keyring import Keyring
from uplink.link import Link
from uplink.message import JSON, Directive, Kind, Receipt, topic
from uplink.seal import Seal
from uplink.sender import Sender
from uplink.spool import Spool

SAMPLES = noise(12 * 1_600)
FACTS: dict[str, JSON] = {"initiator": "wakeword", "model": "alexa", "score": 0.931517, "word_begin": 777_777_777}
PARTS = [replace(part, facts=FACTS if part.number == 0 else {}) for part in cut(SAMPLES, 1_600)]
PARTS[-1] = replace(PARTS[-1], facts={"reason": "silence"})
CLIP = PARTS[0].clip

Serve = Callable[[int], AbstractContextManager[object]]


@pytest.fixture(params=["embedded", "mosquitto"])
def serve(request: pytest.FixtureRequest, tmp_path: Path, needs: Callable[[str], str]) -> Serve:
    """Run one of the two brokers on a port; both let anybody read and say anything."""
    if request.param == "embedded":
        return EmbeddedBroker
    program = needs("mosquitto")
    return lambda port: mosquitto(program, tmp_path, port)


class Talkative(Counter):
    """A recognizer that hears a secret."""

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        return Transcript(f"the safe opens with {len(samples)}", (), self.name)


class Answering(Cloud):
    """A far end that has much to say."""

    def answer(self, clip: str) -> Answer:
        answer = super().answer(clip)
        said = Directed(answer.device, Directive("Speak", clip, {"text": "your doctor has called"}))
        return replace(answer, directives=(said, *answer.directives))


@dataclass
class Operator:
    """Sees every message on the broker, and may publish any; `seen` has topic and payload in order."""

    url: str
    seen: list[tuple[str, bytes]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.link = Link(
            self.url,
            "operator",
            topics=["#"],
            on_message=self._note,
            on_up=lambda: None,
            on_down=lambda _: None,
        )
        self.link.open(strict=True)

    def _note(self, name: str, payload: bytes) -> None:
        with self._news:
            self.seen.append((name, payload))
            self._news.notify_all()

    def of(self, kind: Kind, device: str = "dot") -> list[bytes]:
        """Give the payloads of one kind so far."""
        with self._news:
            return [payload for name, payload in self.seen if name == topic(device, kind)]

    def wait(self, kind: Kind, count: int) -> list[bytes]:
        """Give the payloads of one kind once there are so many."""
        with self._news:
            assert self._news.wait_for(
                lambda: sum(name == topic("dot", kind) for name, _ in self.seen) >= count, DEADLINE_S
            )
        return self.of(kind)

    def say(self, name: str, payload: bytes) -> None:
        assert self.link.publish(name, payload, qos=1)


@dataclass
class Home:
    """A device, a far end and an operator on one broker, and what each end has told."""

    folder: Path
    port: int = field(default_factory=free_port)
    device: Diary = field(default_factory=Diary)
    far: Diary = field(default_factory=Diary)
    directives: list[Directive] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.keys = Keys(self.folder)
        self.store = ClipStore(self.folder / "cloud")
        self._stack.callback(self.store.close)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def sender(self, seal: Seal | None = None) -> Sender:
        seal = seal or self.keys.device
        self.spool = Spool(self.folder / "spool.sqlite")
        self._stack.callback(self.spool.close)
        sender = Sender(
            "dot", self.spool, self.url, seal=seal, on_directive=self._obey, on_fact=self.device, resend_s=0.2
        )
        self._stack.callback(sender.close)
        sender.start()
        return sender

    def far_end(self, cloud: type[Cloud] = Cloud) -> FarEnd:
        far_end = FarEnd(cloud(self.store, Talkative()), self.url, self.keys.far_end, on_event=self.far)
        self._stack.callback(far_end.close)
        far_end.start()
        self.far.wait("connected")
        return far_end

    def operator(self) -> Operator:
        operator = Operator(self.url)
        self._stack.callback(operator.link.close)
        return operator

    def close(self) -> None:
        self._stack.close()

    def refused_here(self) -> str:
        """Give the reason of the device's next refusal."""
        return str(self.device.wait("refused")["reason"])

    def refused_there(self) -> str:
        """Give the reason of the far end's next refusal."""
        return str(self.far.wait("refused")["reason"])

    def _obey(self, directive: Directive) -> None:
        self.directives.append(directive)
        self.device("directive", {"name": directive.name})


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


def assert_whole(home: Home) -> None:
    """Check that the store has the clip once, bit for bit, and its facts as they were."""
    np.testing.assert_array_equal(home.store.audio(CLIP), SAMPLES)
    (clip,) = home.store.clips()
    assert (clip.parts, clip.complete) == (len(PARTS), True)
    assert (clip.opening, clip.ending) == (FACTS, {"reason": "silence"})


def pieces(data: bytes, size: int = 8) -> set[bytes]:
    """Give every stretch of so many bytes, save what is hardly more than zeros."""
    stretches = {data[place : place + size] for place in range(len(data) - size + 1)}
    return {one for one in stretches if len(set(one)) > size // 2}


SECRETS = [
    *(b"wakeword", b"alexa", b"0.931517", b"777777777", b"silence", b"initiator", b"score", b"word_begin", b"facts"),
    *(b"the safe opens", b"your doctor", b"Speak", b"TurnEnd", b"complete", b"near_miss", b"lexus"),
]
"""What was heard, said, scored and wanted, and how that is called."""


def assert_nothing_in(data: bytes) -> None:
    """Check that neither a secret nor eight bytes of any part's audio, or of its digest, are in there."""
    for secret in SECRETS:
        assert secret not in data, secret
    known = set().union(*(pieces(part.audio) for part in PARTS), *(pieces(part.digest.encode()) for part in PARTS))
    assert not known & pieces(data)


def test_an_operator_finds_nothing_of_what_was_heard_on_the_wire_or_in_the_spool(home: Home, serve: Serve) -> None:
    sender = home.sender()
    home.device.wait("disconnected")
    for part in PARTS:
        sender.submit(part)
    at_rest = b"".join(path.read_bytes() for path in home.folder.glob("spool.sqlite*"))
    assert len(at_rest) > sum(len(part.audio) for part in PARTS)
    with serve(home.port):
        operator, far_end = home.operator(), home.far_end(Answering)
        assert sender.drain(DEADLINE_S)
        sender.tell({"kind": "near_miss", "word": "lexus"})
        assert far_end.wait_answered(DEADLINE_S)
        while home.device.wait("directive")["name"] != "TurnEnd":
            pass
        operator.wait("event", 1)
        operator.wait("directive", 2)
        home.far.wait("event")
        home.close()
    assert_whole(home)
    assert [one.name for one in home.directives] == ["Speak", "TurnEnd"]
    assert home.far.all("event") == [{"device": "dot", "facts": {"kind": "near_miss", "word": "lexus"}}]
    assert {name.rpartition("/")[2] for name, _ in operator.seen} == {"part", "receipt", "status", "event", "directive"}
    everything = b"".join(name.encode() + payload for name, payload in operator.seen)
    assert len(everything) > 2 * len(PARTS) * 500
    for data in (everything, at_rest, *(path.read_bytes() for path in home.folder.glob("spool.sqlite*"))):
        assert_nothing_in(data)


def test_the_search_would_find_what_it_looks_for() -> None:
    for found in (PARTS[3].audio[100:200], b"{" + SECRETS[0], PARTS[3].digest.encode()):
        with pytest.raises(AssertionError):
            assert_nothing_in(b"x" * 100 + found)


@pytest.fixture
def mallory(home: Home) -> Keys:
    """Another device of the same far end, with keys of its own, that knows all public keys."""
    state = home.folder / "mallory"
    ring = Keyring.of_device(state, "flex")
    home.keys.far_end_ring.trust(ring.make().public)
    ring.trust(home.keys.far_end_ring.own().public)
    mallory = Keys(state, "other")
    mallory.far_end_ring.trust(home.keys.device_ring.own().public)
    mallory.device = Seal(ring)
    return mallory


def test_another_device_reads_nothing(home: Home, mallory: Keys, serve: Serve) -> None:
    with serve(home.port):
        operator, far_end = home.operator(), home.far_end()
        sender = home.sender()
        for part in PARTS:
            sender.submit(part)
        sender.tell({"kind": "wake"})
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        home.device.wait("directive")
        operator.wait("event", 1)
        operator.wait("directive", 1)
        home.close()
    readers: Mapping[Kind, Callable[[str, bytes, Seal], object]] = {
        "part": message.decode_part,
        "event": message.decode_event,
        "receipt": message.decode_receipts,
        "directive": message.decode_directive,
    }
    tried = 0
    for kind, read in readers.items():
        for payload in operator.of(kind):
            for seal in (mallory.device, mallory.far_end):
                with pytest.raises(MessageError) as caught:
                    read("dot", payload, seal)
                assert caught.value.reason == "wrong key"
                tried += 1
    assert tried >= 2 * (len(PARTS) + 3)  # parts that came close together have one receipt


def test_another_device_forges_nothing(home: Home, mallory: Keys, serve: Serve) -> None:
    with serve(home.port):
        operator = home.operator()
        home.far_end()
        for forged in (
            message.encode_part(PARTS[0], mallory.device),
            message.encode_part(replace(PARTS[0], audio=PARTS[1].audio, facts={}), mallory.device),
        ):
            operator.say(topic("dot", "part"), forged)
            assert home.refused_there() == "bad signature"
        operator.say(topic("dot", "event"), message.encode_event("dot", {"kind": "wake"}, mallory.device))
        assert home.refused_there() == "bad signature"
        operator.say(topic("dot", "status"), message.encode_status("dot", {"state": "offline"}, mallory.device))
        assert home.refused_there() == "bad signature"
        # As himself, but with a clip of the other's.
        fields: dict[str, JSON] = {"clip": CLIP, "number": 0, "last": False, "begin": 0, "end": 1_600}
        mine = pack("part", "flex", fields, b'{"facts":{}}\n' + PARTS[0].audio, mallory.device)
        operator.say(topic("flex", "part"), mine)
        assert home.refused_there() == "malformed"
        # As one that nobody knows.
        operator.say(topic("nobody", "part"), pack("part", "nobody", fields, b"", mallory.device))
        assert home.refused_there() == "unknown device"
        home.close()
    assert home.store.clips() == []
    assert home.far.all("event") == home.far.all("status") == []


def test_parts_replayed_reordered_and_swapped_alter_nothing(home: Home, serve: Serve) -> None:
    with serve(home.port):
        operator, far_end = home.operator(), home.far_end()
        sender = home.sender()
        for part in PARTS:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        seen = operator.wait("part", len(PARTS))
        for payload in [*reversed(seen), *seen]:
            operator.say(topic("dot", "part"), payload)
        for one, other in zip(seen, [*seen[1:], seen[0]], strict=True):
            swapped = one.partition(b"\n")[0] + b"\n" + other.partition(b"\n")[2]
            operator.say(topic("dot", "part"), swapped)
            assert home.refused_there() == "bad signature"
        for changed in (b'"last":true', b'"begin":1', b'"end":99', b'"number":99'):
            fields = json.loads(seen[0].partition(b"\n")[0]) | json.loads(b"{" + changed + b"}")
            header = canonical(fields)
            operator.say(topic("dot", "part"), header + b"\n" + seen[0].partition(b"\n")[2])
            assert home.refused_there() == "bad signature"
        assert far_end.wait_answered(DEADLINE_S)
        home.close()
    assert_whole(home)
    assert len(home.far.all("transcript")) == 1


def test_parts_replayed_into_an_empty_store_are_the_same_parts(home: Home, serve: Serve) -> None:
    """Whoever holds the broker may send late, again, in any order: what is stored is what was heard."""
    with serve(home.port):
        operator = home.operator()
        sender = home.sender()
        for part in PARTS:
            sender.submit(part)
        seen = operator.wait("part", len(PARTS))
        sender.close()
        far_end = home.far_end()
        for payload in [*seen[::-1], *seen[::2]]:
            operator.say(topic("dot", "part"), payload)
        while not home.far.all("transcript"):
            home.far.wait("transcript")
        assert far_end.wait_answered(DEADLINE_S)
        home.close()
    assert_whole(home)


def test_nobody_else_can_acknowledge(home: Home, mallory: Keys, serve: Serve) -> None:
    with serve(home.port):
        operator = home.operator()
        sender = home.sender()
        for part in PARTS:
            sender.submit(part)
        seen = operator.wait("part", len(PARTS))[: len(PARTS)]
        for number, payload in enumerate(seen):
            receipt = Receipt("dot", CLIP, number, message.digest_of(payload), True)
            operator.say(topic("dot", "receipt"), message.encode_receipts([receipt], mallory.far_end))
            assert home.refused_here() == "bad signature"
        operator.say(topic("dot", "receipt"), seen[0])
        assert home.refused_here() == "wrong key"
        assert home.spool.summary().parts == len(PARTS)
        # A true receipt, of another part, settles that one alone.
        true = Receipt("dot", CLIP, 3, message.digest_of(seen[3]), False)
        operator.say(topic("dot", "receipt"), message.encode_receipts([true], home.keys.far_end))
        assert home.device.wait("receipt")["number"] == 3
        assert home.spool.summary().parts == len(PARTS) - 1
        home.close()


def test_a_directive_is_obeyed_once_also_after_a_restart(home: Home, mallory: Keys, serve: Serve) -> None:
    with serve(home.port):
        operator = home.operator()
        sender = home.sender()
        home.device.wait("connected")
        far_end = home.far_end()
        for muted in (True, False, True):
            far_end.direct("dot", Directive("SetMute", facts={"muted": muted}))
            home.device.wait("directive")
        open_up = operator.wait("directive", 3)[1]
        operator.say(topic("dot", "directive"), open_up)
        assert home.refused_here() == "replayed"
        sender.close()
        home.spool.close()
        home.device.all("connected")
        home.sender()
        home.device.wait("connected")
        for payload in operator.of("directive")[:3]:
            operator.say(topic("dot", "directive"), payload)
            assert home.refused_here() == "replayed"
        forged = message.encode_directive(
            "dot", Directive("SetMute", facts={"muted": False}), 2**63 - 1, mallory.far_end
        )
        operator.say(topic("dot", "directive"), forged)
        assert home.refused_here() == "bad signature"
        far_end.direct("dot", Directive("TurnEnd"))
        home.device.wait("directive")
        home.close()
    assert [one.facts.get("muted") for one in home.directives] == [True, False, True, None]


def test_serials_grow_also_when_the_clock_jumps_back_or_the_store_is_lost(tmp_path: Path) -> None:
    store = ClipStore(tmp_path / "one")
    assert [store.next_serial(now) for now in (100, 50, 0, 200, 200)] == [100, 101, 102, 200, 201]
    store.close()
    again = ClipStore(tmp_path / "one")
    assert again.next_serial(0) == 202
    again.close()
    new = ClipStore(tmp_path / "two")
    assert new.next_serial(1_000) == 1_000
    new.close()


def test_a_withheld_directive_is_not_obeyed_after_a_newer_one(home: Home, serve: Serve) -> None:
    with serve(home.port):
        operator = home.operator()
        withheld = message.encode_directive("dot", Directive("SetMute", facts={"muted": False}), 7, home.keys.far_end)
        newer = message.encode_directive("dot", Directive("SetMute", facts={"muted": True}), 8, home.keys.far_end)
        home.sender()
        home.device.wait("connected")
        operator.say(topic("dot", "directive"), newer)
        home.device.wait("directive")
        operator.say(topic("dot", "directive"), withheld)
        assert home.refused_here() == "replayed"
        home.close()
    assert len(home.directives) == 1


def deliver(home: Home, sender: Sender, serve: Serve) -> None:
    with serve(home.port):
        far_end = home.far_end()
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        home.device.wait("directive")
        home.close()


@pytest.mark.parametrize("told", [True, False])
def test_a_new_key_of_the_far_end_loses_nothing_that_is_spooled(home: Home, serve: Serve, told: bool) -> None:
    sender = home.sender()
    home.device.wait("disconnected")
    for part in PARTS[:6]:
        sender.submit(part)
    new = home.keys.far_end_ring.rotate()
    if told:
        home.keys.device_ring.trust(new.public)
    for part in PARTS[6:]:
        sender.submit(part)
    deliver(home, sender, serve)
    assert_whole(home)
    assert home.far.all("refused") == home.device.all("refused") == []


def test_a_new_key_of_the_device_loses_nothing_that_is_spooled(home: Home, serve: Serve) -> None:
    sender = home.sender()
    home.device.wait("disconnected")
    for part in PARTS[:6]:
        sender.submit(part)
    new = home.keys.device_ring.rotate().public
    for part in PARTS[6:]:
        sender.submit(part)
    with serve(home.port):
        far_end = home.far_end()
        assert home.refused_there() == "bad signature"  # of the status: the far end has not heard of the new key
        home.keys.far_end_ring.trust(new)
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        home.close()
    assert_whole(home)


def test_clips_for_a_forgotten_key_are_named_and_kept(home: Home, serve: Serve) -> None:
    sender = home.sender()
    home.device.wait("disconnected")
    for part in PARTS:
        sender.submit(part)
    old, new = home.keys.far_end_ring.own(), home.keys.far_end_ring.rotate()
    home.keys.far_end_ring.forget(old.fingerprint)
    home.keys.device_ring.trust(new.public)
    with serve(home.port):
        home.far_end()
        named: set[str] = set()
        while len(named) < len(PARTS):
            fact = home.far.wait("refused")
            assert fact["reason"] == "wrong key"
            named.add(fact["why"])
        home.close()
    for number in range(len(PARTS)):
        assert any(
            why.startswith(f"part {number} of clip '{CLIP}': it is sealed to the key {old.fingerprint}")
            for why in named
        )
    spool = Spool(home.folder / "spool.sqlite")
    assert spool.summary().parts == len(PARTS)
    spool.close()


def test_a_device_that_was_forgotten_is_out_at_once(home: Home, serve: Serve) -> None:
    with serve(home.port):
        home.far_end()
        sender = home.sender()
        sender.submit(PARTS[0])
        assert sender.drain(DEADLINE_S)
        home.keys.far_end_ring.forget("dot")
        sender.submit(PARTS[1])
        assert home.refused_there() == "unknown device"
        assert home.spool.summary().parts == 1
        home.close()


def test_two_devices_with_the_same_name_and_other_keys(home: Home, tmp_path: Path, serve: Serve) -> None:
    """The far end knows one of them; the other keeps what it has, and can neither add to the first one's clips."""
    twin = Keyring.of_device(tmp_path / "twin", "dot")
    twin.make()
    twin.trust(home.keys.far_end_ring.own().public)
    payload = message.encode_part(replace(PARTS[0], audio=PARTS[1].audio), Seal(twin))
    with serve(home.port):
        operator, far_end = home.operator(), home.far_end()
        operator.say(topic("dot", "part"), payload)
        assert home.refused_there() == "bad signature"
        sender = home.sender()
        for part in PARTS:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        assert far_end.wait_answered(DEADLINE_S)
        home.close()
    assert_whole(home)

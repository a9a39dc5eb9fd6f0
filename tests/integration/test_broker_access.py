"""The shipped access rules on a real Mosquitto: a device has its own topics, a far end all of them, nobody more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.broker_kit import BROKERS, NOW, authority_of, client, papers, shipped_mosquitto
from tests.uplink_kit import DEADLINE_S, Counter, Diary, cut, free_port, known, noise
from uplink.address import Access
from uplink.authority import Authority
from uplink.errors import LinkError
from uplink.link import Link, Will
from uplink.message import Kind
from uplink.profiles import PROFILES
from uplink.sender import Sender
from uplink.spool import Spool

FROM_DEVICES = ("part", "event", "status", "inquiry")
TO_DEVICES = ("receipt", "directive", "inventory")
KINDS = FROM_DEVICES + TO_DEVICES
DENIED = "(not authorized); check user name and password, or what the access rules grant this certificate's name"


def topic(device: str, kind: str) -> str:
    return f"misheard/v1/{device}/{kind}"


@dataclass(frozen=True)
class House:
    """A broker that runs, and whom it believes."""

    url: str
    authority: Authority

    def link(
        self, name: str, *topics: str, diary: Diary | None = None, mqtt5: bool = True, will: Will | None = None
    ) -> Link:
        """A link that is up, and shows the certificate of this name."""
        access = papers(self.authority, name, PROFILES["mosquitto" if mqtt5 else "embedded"])
        link = client(self.url, f"misheard-{name}", access, *topics, diary=diary, will=will)
        link.open(strict=True)
        return link


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    authority = authority_of(folder / "authority", "dot", "lamp", "shade", "far-end", "far-end-2")
    with shipped_mosquitto(needs("mosquitto"), folder, authority) as url:
        yield House(url, authority)


def fate(house: House, name: str, where: str, listener: Diary) -> str:
    """What becomes of a message: ``heard`` by whoever may hear all, or the broker's word against it."""
    diary = Diary()
    link = house.link(name, diary=diary)
    link.publish(where, b"it", qos=1)
    link.publish(topic(name, "event"), b"then", qos=1)  # after whose arrival the first one would have arrived
    while listener.wait(topic(name, "event")) != {"payload": "then"}:
        pass
    heard = [facts for facts in listener.all(where) if facts == {"payload": "it"}]
    listener.entries.clear()
    if not heard:
        assert diary.wait("rejected") == {"topic": where, "reason": DENIED}
    link.close()
    assert len(heard) + len(diary.all("rejected")) == 1
    return "heard" if heard else "denied"


@pytest.fixture(scope="module")
def listener(house: House) -> Iterator[Diary]:
    """What a far end hears, and the device lamp. Both stay connected: a client is known by its certificate's name."""
    diary = Diary()
    far_end = house.link("far-end-2", *(topic("+", kind) for kind in FROM_DEVICES), diary=diary)
    lamp = house.link("lamp", *(topic("lamp", kind) for kind in TO_DEVICES), diary=diary)
    yield diary
    lamp.close()
    far_end.close()


def test_every_kind_of_message_has_a_direction() -> None:
    assert set(get_args(Kind)) <= set(KINDS)


@pytest.mark.parametrize("kind", FROM_DEVICES)
def test_a_device_speaks_for_itself_and_for_nobody_else(house: House, listener: Diary, kind: str) -> None:
    assert fate(house, "dot", topic("dot", kind), listener) == "heard"
    assert fate(house, "dot", topic("lamp", kind), listener) == "denied"


@pytest.mark.parametrize("kind", TO_DEVICES)
def test_a_device_gives_no_receipts_and_no_directives(house: House, listener: Diary, kind: str) -> None:
    assert fate(house, "dot", topic("lamp", kind), listener) == "denied"
    assert fate(house, "dot", topic("dot", kind), listener) == "denied"


def test_a_device_writes_nowhere_else(house: House, listener: Diary) -> None:
    for where in ("misheard/v1/dot", "misheard/v1/dot/part/more", "misheard/v2/dot/part", "elsewhere", "$SYS/dot"):
        assert fate(house, "dot", where, listener) == "denied"


def test_a_last_will_for_somebody_else_is_not_carried_out(house: House, listener: Diary) -> None:
    wicked = house.link("dot", will=Will(topic("lamp", "status"), b"offline"))
    connection = wicked._connection
    assert connection is not None
    connection.abandon()  # without a goodbye, so that the will is due
    fair = house.link("dot", will=Will(topic("dot", "status"), b"gone"))
    assert fair._connection is not None
    fair._connection.abandon()
    assert listener.wait(topic("dot", "status")) == {"payload": "gone"}
    assert listener.all(topic("lamp", "status")) == []
    wicked.close()
    fair.close()


@pytest.mark.parametrize("mqtt5", [True, False])
def test_a_device_hears_what_is_for_it_and_nothing_else(house: House, mqtt5: bool) -> None:
    curious = [
        *("#", "+/+/+/+", "misheard/#", "misheard/v1/+/receipt", "$SYS/#", "$share/dot/misheard/v1/+/part"),
        *(topic("shade", kind) for kind in KINDS),
        *(topic("dot", kind) for kind in FROM_DEVICES),
    ]
    own = topic("dot", "directive")
    diary, refused = Diary(), list[str]()
    far_end, shade = house.link("far-end"), house.link("shade", mqtt5=mqtt5)
    for wanted in curious:
        try:
            link = house.link("dot", wanted, own, diary=diary, mqtt5=mqtt5)
        except LinkError as error:
            refused.append(str(error))
            continue
        for kind in FROM_DEVICES:
            shade.publish(topic("shade", kind), b"secret", qos=1, retain=True)
        for kind in TO_DEVICES:
            far_end.publish(topic("shade", kind), b"secret", qos=1)
        far_end.publish(own, b"for you", qos=1)
        assert diary.wait(own) == {"payload": "for you"}
        link.close()
    shade.close()
    far_end.close()
    told = {kind for kind, _ in diary.entries} - {"up", "down"}
    assert told == {own}
    assert all(facts["payload"] == "for you" for kind, facts in diary.entries if kind == own)
    assert all("refuses a subscription" in said for said in refused)  # 2.0.11 grants each, and delivers nothing


def test_a_far_end_gives_receipts_and_does_not_speak_for_a_device(house: House, listener: Diary) -> None:
    diary = Diary()
    far_end = house.link("far-end", diary=diary)
    for kind in TO_DEVICES:
        far_end.publish(topic("lamp", kind), b"yours", qos=1)
        assert listener.wait(topic("lamp", kind)) == {"payload": "yours"}
    far_end.publish(topic("lamp", "part"), b"forged", qos=1)
    assert diary.wait("rejected") == {"topic": topic("lamp", "part"), "reason": DENIED}
    far_end.close()


def test_a_device_cannot_end_another_by_taking_its_client_id(house: House) -> None:
    diary = Diary()
    victim = house.link("dot", topic("dot", "directive"), diary=diary)
    diary.wait("up")
    for taken in ("misheard-dot", "dot"):
        thief = client(house.url, taken, papers(house.authority, "shade"))
        thief.open(strict=True)
        thief.close()
    far_end = house.link("far-end")
    far_end.publish(topic("dot", "directive"), b"still there", qos=1)
    assert diary.wait(topic("dot", "directive"), "down") == {"payload": "still there"}
    far_end.close()
    victim.close()


def test_nobody_is_anonymous(house: House) -> None:
    for access in (Access(house.authority.certificate), Access()):
        url = house.url if access.ca_file else house.url.replace("mqtts://", "mqtt://")
        with pytest.raises(LinkError):
            client(url, "nobody", access).open(strict=True)


def test_whoever_is_revoked_is_out_once_the_broker_has_the_list(tmp_path: Path, needs: Callable[[str], str]) -> None:
    program = needs("mosquitto")
    authority = authority_of(tmp_path / "authority", "dot", "lamp")
    port, diary = free_port(), Diary()
    with shipped_mosquitto(program, tmp_path, authority, port=port) as url:
        house = House(url, authority)
        good, bad = house.link("lamp"), house.link("dot", diary=diary)
        assert authority.revoke("dot", NOW) == 1
    with shipped_mosquitto(program, tmp_path, authority, port=port):
        while "is revoked" not in (reason := diary.wait("down")["reason"]):
            assert "ended" in reason or "no broker" in reason
        bad.close()
        good.close()
        house.link("lamp").close()
        with pytest.raises(LinkError, match="is revoked"):
            house.link("dot")
        authority.issue("dot", NOW)
        house.link("dot").close()


def test_a_list_with_an_address_in_it_works_with_openssl_too(tmp_path: Path, needs: Callable[[str], str]) -> None:
    authority = authority_of(tmp_path / "authority", "dot", "lamp", crl_url="http://lists.example/authority.crl")
    authority.revoke("dot", NOW)
    with shipped_mosquitto(needs("mosquitto"), tmp_path, authority) as url:
        House(url, authority).link("lamp").close()
        with pytest.raises(LinkError, match="is revoked"):
            House(url, authority).link("dot")


def test_emqx_is_told_the_same_rules_in_its_own_words() -> None:
    """By form alone: EMQX is not among Debian's packages, and has not been run."""
    rules = re.sub(r"%%.*", "", (BROKERS / "emqx.acl").read_text()).split("}.")
    granted = {}
    for rule in filter(None, map(str.strip, rules)):
        found = re.fullmatch(
            r'\{(allow|deny), (all|\{username, \{re, "[^"]+"\}\})(?:, (publish|subscribe), \[([^\]]+)\])?', rule
        )
        assert found, rule
        who, deed, topics = found[2], found[3], found[4]
        granted[found[1], who, deed] = None if topics is None else re.findall(r'"([^"]+)"', topics)
    far_end = '{username, {re, "^far-end(-[0-9]+)?$"}}'
    assert granted == {
        ("allow", far_end, "subscribe"): [f"misheard/v1/+/{kind}" for kind in FROM_DEVICES],
        ("allow", far_end, "publish"): [f"misheard/v1/+/{kind}" for kind in TO_DEVICES],
        ("allow", "all", "publish"): [f"misheard/v1/${{username}}/{kind}" for kind in FROM_DEVICES],
        ("allow", "all", "subscribe"): [f"misheard/v1/${{username}}/{kind}" for kind in TO_DEVICES],
        ("deny", "all", None): None,
    }
    depth = 0
    for line in (BROKERS / "emqx.conf").read_text().splitlines():
        text = line.split("#")[0].strip()
        assert re.fullmatch(
            r"|[a-z0-9_.]+ (= )?[\[{]|[}\]]|\{|[a-z0-9_.]+ = (true|false|\d+|[a-z_]+|\"[^\"]*\"|\[\"[^\]]*\"\])", text
        )
        depth += text.count("{") + text.count("[") - text.count("}") - text.count("]")
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("share", [None, "far-ends"])
def test_the_whole_line_runs_under_these_rules(
    profile: str, share: str | None, tmp_path: Path, needs: Callable[[str], str]
) -> None:
    authority = authority_of(tmp_path / "authority", "dot", "far-end")
    samples = noise(20 * 800)
    parts = cut(samples, 800)
    far, device = Diary(), Diary()
    with ExitStack() as stack:
        url = stack.enter_context(shipped_mosquitto(needs("mosquitto"), tmp_path, authority))
        store = ClipStore(tmp_path / "cloud")
        stack.callback(store.close)
        cloud, access = Cloud(store, Counter()), papers(authority, "far-end", PROFILES[profile])
        far_end = FarEnd(cloud, url, known().far_end, on_event=far, access=access, share=share)
        stack.callback(far_end.close)
        far_end.start(strict=True)
        spool = Spool(tmp_path / "spool.sqlite")
        stack.callback(spool.close)
        sender = Sender(
            "dot",
            spool,
            url,
            seal=known().device,
            on_directive=lambda directive: device("directive", {"name": directive.name}),
            on_fact=device,
            access=papers(authority, "dot", PROFILES[profile]),
        )
        stack.callback(sender.close)
        sender.start(strict=True)
        sender.status({"muted": False})
        sender.tell({"kind": "wake"})
        for part in parts:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        assert device.wait("directive") == {"name": "TurnEnd"}
        np.testing.assert_array_equal(store.audio(parts[0].clip), samples)
        assert far.wait("event")["device"] == "dot"
        assert device.all("rejected") == device.all("refused") == far.all("refused") == []

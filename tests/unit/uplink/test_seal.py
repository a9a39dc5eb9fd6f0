"""The seal between the two ends: who can open, who is believed, and what new keys change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.uplink_kit import Keys
from uplink import message
from uplink.envelope import canonical
from uplink.errors import MessageError, Reason
from uplink.freshness import require_fresh
from uplink.keyring import FAR_END
from uplink.message import JSON, Directive, Part, Receipt
from uplink.seal import Seal
from uplink.spool import Spool

PART = Part("dot", "dot-1-000000016000", 3, False, 16_000, 32_000, {"score": 0.93}, b"fLaC")
RECEIPT = Receipt("dot", PART.clip, 3, "0" * 64, True)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "ours")


@pytest.fixture
def others(tmp_path: Path) -> Keys:
    """Keys of another home, whose device has the same name."""
    return Keys(tmp_path / "theirs")


def refused(payload: bytes, seal: Seal, device: str = "dot") -> Reason:
    """Give the reason for which a far end does not take this as a part."""
    with pytest.raises(MessageError) as caught:
        message.decode_part(device, payload, seal)
    return caught.value.reason


def test_a_stranger_opens_nothing_and_is_not_believed(keys: Keys, others: Keys) -> None:
    payload = message.encode_part(PART, keys.device)
    assert refused(payload, others.far_end) == "wrong key"
    others.device_ring.trust(keys.far_end_ring.own().public)  # he knows our far end's public key, as anybody may
    assert refused(message.encode_part(PART, others.device), keys.far_end) == "bad signature"


def test_one_that_is_not_known_is_refused_by_that_name(keys: Keys) -> None:
    payload = message.encode_part(PART, keys.device)
    keys.far_end_ring.forget("dot")
    assert refused(payload, keys.far_end) == "unknown device"
    with pytest.raises(MessageError, match=r"misheard keys trust far-end dot\.pub") as caught:
        message.encode_receipts([RECEIPT], keys.far_end)
    assert caught.value.reason == "unknown device"
    receipt = message.encode_receipts([RECEIPT], Keys(keys.folder / "x").far_end)
    keys.device_ring.forget(FAR_END)
    with pytest.raises(MessageError) as caught:
        message.encode_part(PART, keys.device)
    assert caught.value.reason == "unknown far end"
    with pytest.raises(MessageError):
        message.decode_receipts("dot", receipt, keys.device)


def test_the_same_message_looks_different_every_time(keys: Keys) -> None:
    one, two = (message.encode_part(PART, keys.device).partition(b"\n")[2] for _ in range(2))
    assert one[:32] != two[:32]
    assert one[-32:] != two[-32:]


def test_directives_receipts_and_events_are_not_told_apart_by_their_length(keys: Keys) -> None:
    sizes = {
        *(
            len(message.encode_directive("dot", Directive(name, clip, {}), serial, keys.far_end))
            for name in message.DIRECTIVES
            for clip in (None, PART.clip)
            for serial in (1, 2**63 - 1)
        ),
        *(
            len(message.encode_receipts([Receipt("dot", PART.clip, 3, "0" * 64, c)], keys.far_end))
            for c in (True, False)
        ),
        *(len(message.encode_event("dot", {"kind": kind}, keys.device)) for kind in ("wake", "near_miss")),
    }
    assert len(sizes) == 1


def test_a_key_that_cannot_be_used_costs_a_message_and_not_the_program(keys: Keys) -> None:
    payload = message.encode_part(PART, keys.device)
    (keys.far_end_ring.folder / "devices" / "dot.pub").write_text("damaged")
    assert refused(payload, keys.far_end) == "wrong key"
    (keys.far_end_ring.folder / "far-end.key").chmod(0o644)
    assert refused(payload, keys.far_end) == "wrong key"


def test_what_was_sealed_to_an_old_far_end_key_still_opens(keys: Keys) -> None:
    old = keys.far_end_ring.own()
    spooled = message.encode_part(PART, keys.device)
    new = keys.far_end_ring.rotate()
    assert message.decode_part("dot", spooled, keys.far_end) == PART
    # The device has not heard of the new key: it is answered with the one it trusts.
    receipt = message.encode_receipts([RECEIPT], keys.far_end)
    assert message.decode_receipts("dot", receipt, keys.device) == [RECEIPT]
    # Once it seals to the new one, the new one answers, also to a late part under the old one.
    keys.device_ring.trust(new.public)
    message.decode_part("dot", message.encode_part(PART, keys.device), keys.far_end)
    message.decode_part("dot", spooled, keys.far_end)
    order = message.decode_directive(
        "dot", message.encode_directive("dot", Directive("TurnEnd"), 1, keys.far_end), keys.device
    )
    assert order.signer == new.fingerprint
    keys.far_end_ring.forget(old.fingerprint)
    assert refused(spooled, keys.far_end) == "wrong key"
    with pytest.raises(MessageError, match=rf"part 3 of clip '{PART.clip}': it is sealed to the key {old.fingerprint}"):
        message.decode_part("dot", spooled, keys.far_end)


def test_a_status_tells_a_far_end_which_of_its_keys_is_known(keys: Keys) -> None:
    keys.far_end_ring.rotate()
    far_end = Seal(keys.far_end_ring)  # which has just started, and met nobody
    with pytest.raises(MessageError):
        message.decode_receipts("dot", message.encode_receipts([RECEIPT], far_end), keys.device)
    message.decode_status("dot", message.encode_status("dot", {"state": "online"}, keys.device), far_end)
    assert message.decode_receipts("dot", message.encode_receipts([RECEIPT], far_end), keys.device) == [RECEIPT]


def test_what_was_signed_with_an_old_device_key_is_still_believed(keys: Keys) -> None:
    old = keys.device_ring.own().public
    spooled = message.encode_part(PART, keys.device)
    receipt = message.encode_receipts([RECEIPT], keys.far_end)
    new = keys.device_ring.rotate().public
    assert message.decode_receipts("dot", receipt, keys.device) == [RECEIPT]
    assert refused(message.encode_part(PART, keys.device), keys.far_end) == "bad signature"
    keys.far_end_ring.trust(new)
    assert message.decode_part("dot", message.encode_part(PART, keys.device), keys.far_end) == PART
    assert message.decode_part("dot", spooled, keys.far_end) == PART
    keys.far_end_ring.forget(old.fingerprint)
    assert refused(spooled, keys.far_end) == "bad signature"


def test_a_header_under_another_body_is_refused(keys: Keys) -> None:
    """Parts of two clips, or two numbers of one: neither header fits the other's body."""
    one = message.encode_part(PART, keys.device)
    two = message.encode_part(
        Part("dot", "dot-2-000000016000", 4, False, 16_000, 32_000, {}, b"fLaC other"), keys.device
    )
    for header, body in ((one, two), (two, one)):
        swapped = header.partition(b"\n")[0] + b"\n" + body.partition(b"\n")[2]
        assert refused(swapped, keys.far_end) == "bad signature"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("clip", "dot-1-000000099999"),
        ("number", 2),
        ("last", True),
        ("begin", 16_001),
        ("end", 31_999),
        ("added", None),
    ],
)
def test_a_changed_header_is_refused(keys: Keys, field: str, value: JSON) -> None:
    fields: dict[str, JSON] = {"begin": 16_000, "clip": PART.clip, "device": "dot", "end": 32_000, "last": False}
    header, _, body = message.encode_part(PART, keys.device).partition(b"\n")
    fields |= {"number": 3, "key": keys.far_end_ring.own().fingerprint, "seal": "box1", "v": 1}
    assert canonical(fields) == header
    assert refused(canonical({**fields, field: value}) + b"\n" + body, keys.far_end) == "bad signature"
    assert refused(header.replace(b",", b", ") + b"\n" + body, keys.far_end) == "bad signature"


def test_an_order_is_obeyed_once_and_never_after_a_newer_one(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)

    def order(serial: int, signer: str = "a") -> message.Order:
        return message.Order(Directive("SetMute", facts={"muted": False}), serial, signer)

    require_fresh(spool, order(5))
    for stale in (5, 4, 1):
        with pytest.raises(MessageError, match="came twice, or after a newer one") as caught:
            require_fresh(spool, order(stale))
        assert caught.value.reason == "replayed"
    require_fresh(spool, order(1, "b"))
    spool.close()
    again = Spool(path)
    with pytest.raises(MessageError):
        require_fresh(again, order(5))
    require_fresh(again, order(2**63 - 1))
    again.close()

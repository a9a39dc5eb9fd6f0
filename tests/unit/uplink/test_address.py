"""Broker addresses."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uplink.address import Address
from uplink.errors import AddressError


def test_an_address_is_read() -> None:
    assert Address.parse("mqtt://127.0.0.1:18830") == Address("127.0.0.1", 18830, secure=False)
    assert Address.parse("mqtt://localhost") == Address("localhost", 1883, secure=False)
    assert Address.parse("mqtt://[::1]/") == Address("::1", 1883, secure=False)
    assert Address.parse("mqtts://a%40b:p%2Fw@broker.example") == Address("broker.example", 8883, True, "a@b", "p/w")


def test_a_password_is_never_shown() -> None:
    address = Address.parse("mqtts://alice:secret@broker.example")
    assert "secret" not in repr(address)
    assert str(address) == "mqtts://broker.example:8883"
    with pytest.raises(AddressError) as caught:
        Address.parse("http://alice:secret@broker.example")
    assert "secret" not in str(caught.value)


def test_plain_text_stays_on_this_machine() -> None:
    with pytest.raises(AddressError, match=r"use mqtts://broker\.example instead, or say allow_plain") as caught:
        Address.parse("mqtt://broker.example")
    assert caught.value.exit_code == 2
    assert Address.parse("mqtt://broker.example", allow_plain=True).host == "broker.example"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "http://localhost",
        "mqtt://",
        "mqtt://h:0",
        "mqtt://h:99999",
        "mqtt://h/topic",
        "mqtt://h?x",
        "mqtt://[::",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(AddressError, match="broker address"):
        Address.parse(url, allow_plain=True)


@given(st.text() | st.from_regex(r"mqtts?://.{0,80}"))
def test_any_text_is_read_or_refused(url: str) -> None:
    with contextlib.suppress(AddressError):
        Address.parse(url)

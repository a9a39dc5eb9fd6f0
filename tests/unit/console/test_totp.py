from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sim.console.access import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_of(SECRET, totp.step_at(moment)) == code[-totp.DIGITS :]


def test_a_clock_may_be_half_a_minute_off_and_no_more() -> None:
    now = datetime(2019, 4, 10, 12, 0, 10, tzinfo=UTC)
    step = totp.step_at(now)
    for off in (-1, 0, 1):
        assert totp.matching_step(SECRET, totp.code_of(SECRET, step + off), now) == step + off
    for off in (-2, 2):
        assert totp.matching_step(SECRET, totp.code_of(SECRET, step + off), now) is None
    code = totp.code_of(SECRET, step)
    assert totp.matching_step(SECRET, f" {code[:3]} {code[3:]}\n", now) == step
    assert totp.matching_step(b"another secret of 20", code, now) is None


@pytest.mark.parametrize("code", ["", "0", "abcdef", "１２３４５６", "1" * 300, "\ud800"])
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert totp.matching_step(SECRET, code, datetime(2019, 4, 10, tzinfo=UTC) + timedelta(seconds=1)) is None


def test_an_app_can_read_the_secret() -> None:
    assert totp.written(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.uri(SECRET, "kim") == (
        "otpauth://totp/misheard:kim?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=misheard&digits=6&period=30"
    )
    assert len({totp.new_secret() for _ in range(10)}) == 10

"""Accounts, sessions and tries, on a real database and with real argon2."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, text

from sim.cloud.schema import AccountRow, SessionRow
from sim.console.access import passwords, totp
from sim.console.access.accounts import Accounts
from sim.console.access.attempts import Attempts, Limit
from sim.console.access.door import WRONG, Door
from sim.console.access.passwords import Passwords
from sim.console.access.sessions import Limits, Sessions
from sim.errors import AccessError, AccountError, StoreError, TooOftenError
from tests.console_kit import PASSWORD, QUICK
from tests.review_kit import Clock, Programme


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Programme]:
    kit = Programme(tmp_path)
    kit.customer(1)
    yield kit
    kit.close()


class Inn:
    """A door, and one account behind it."""

    def __init__(self, kit: Programme, limit: Limit | None = None) -> None:
        self.clock: Clock = kit.clock
        self.accounts = Accounts(kit.store, QUICK, kit.clock)
        self.sessions = Sessions(kit.store.database, kit.clock)
        attempts = Attempts(kit.store.database, kit.clock, limit)
        self.door = Door(self.accounts, self.sessions, attempts, kit.audit, kit.clock)
        self.secret = self.accounts.add("kim", "annotator", PASSWORD)

    def code(self, after_s: float = totp.STEP_S) -> str:
        self.clock.pass_(seconds=after_s)
        return totp.code_of(self.secret, totp.step_at(self.clock()))


def test_nothing_is_kept_from_which_somebody_could_get_in(kit: Programme) -> None:
    inn = Inn(kit)
    token, _ = inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")
    with kit.store.database.reading() as session:
        account = session.get_one(AccountRow, "kim")
        (kept,) = session.scalars(select(SessionRow.token))
    assert account.password.startswith("$argon2id$")
    assert account.totp is not None
    for secret in (inn.secret.hex(), totp.written(inn.secret)):
        assert secret not in account.totp
    assert token not in kept
    for file in (kit.folder / "store").rglob("*.sqlite*"):
        assert token.encode() not in file.read_bytes()
        assert inn.secret not in file.read_bytes()


def test_real_argon2_tells_passwords_apart() -> None:
    real = Passwords()
    hashed = real.hash(PASSWORD)
    assert "m=65536,t=3,p=4" in hashed
    assert real.fits(hashed, PASSWORD)
    assert not real.fits(hashed, PASSWORD + ".")
    assert not real.fits("no hash", PASSWORD)
    assert not real.fits(hashed, "\ud800")


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 257])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(AccountError, match="12 to 256 characters"):
        QUICK.hash(password)


@pytest.mark.parametrize(
    ("name", "role", "customer", "told"),
    [
        ("Kim", "annotator", None, "name is 1 to 40"),
        ("<script>", "annotator", None, "name is 1 to 40"),
        ("max", "boss", None, "no role 'boss'"),
        ("max", "customer", None, "account number"),
        ("max", "lead", "A0000000001", "account number"),
        ("kim", "lead", None, "an account kim already"),
    ],
)
def test_accounts_that_cannot_be_are_refused(
    kit: Programme, name: str, role: str, customer: str | None, told: str
) -> None:
    inn = Inn(kit)
    with pytest.raises(AccountError, match=told):
        inn.accounts.add(name, role, PASSWORD, customer)
    with pytest.raises(StoreError, match="no customer"):
        inn.accounts.add("max", "customer", PASSWORD, "A9999999999")
    assert [each.name for each in inn.accounts.all()] == ["kim"]


def test_each_wrong_word_is_told_alike_and_costs_the_same(kit: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    inn = Inn(kit, Limit(of_name=100))
    inn.accounts.add("old", "lead", PASSWORD)
    inn.accounts.disable("old")
    checked: list[str] = []
    fits = QUICK.fits
    monkeypatch.setattr(QUICK, "fits", lambda hashed, word: checked.append(hashed) or fits(hashed, word))  # type: ignore[func-returns-value]
    steps: list[bytes] = []
    matching = totp.matching_step
    monkeypatch.setattr(totp, "matching_step", lambda *given: steps.append(given[0]) or matching(*given))  # type: ignore[func-returns-value]
    code = inn.code()
    wrongs = [
        ("nobody", PASSWORD, code),
        ("kim", "not the password", code),
        ("kim", PASSWORD, "000000" if code != "000000" else "000001"),
        ("old", PASSWORD, code),
        ("KIM", PASSWORD, code),
        ("kim\0", PASSWORD, code),
    ]
    for name, password, given in wrongs:
        with pytest.raises(AccessError, match="is wrong") as told:
            inn.door.enter(name, password, given, "1.2.3.4")
        assert str(told.value) == WRONG
    assert len(checked) == len(steps) == len(wrongs)
    assert {hashed.partition(",p=")[0] for hashed in checked} == {"$argon2id$v=19$m=8,t=1"}
    inn.door.enter("kim", PASSWORD, code, "1.2.3.4")  # the code was not used up by what failed


def test_a_code_is_taken_once_even_of_many_who_come_at_once(kit: Programme) -> None:
    inn = Inn(kit, Limit(of_name=100))
    code, together = inn.code(), threading.Barrier(8)

    def enter(_: int) -> bool:
        together.wait()
        try:
            inn.door.enter("kim", PASSWORD, code, "1.2.3.4")
        except AccessError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(8))) == 1
    earlier = totp.code_of(inn.secret, totp.step_at(inn.clock()) - 1)
    with pytest.raises(AccessError):  # nor is one before it, which was never used
        inn.door.enter("kim", PASSWORD, earlier, "1.2.3.4")
    inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")


def test_after_too_many_tries_the_right_words_have_to_wait_too(kit: Programme) -> None:
    inn = Inn(kit)
    for _ in range(5):
        with pytest.raises(AccessError):
            inn.door.enter("kim", "guess after guess", "123456", "1.2.3.4")
    with pytest.raises(TooOftenError, match=r"try again in 1[45] minutes"):
        inn.door.enter("kim", PASSWORD, inn.code(), "5.6.7.8")
    for _ in range(6):  # a name that nobody has is told the same
        with pytest.raises(AccessError) as told:
            inn.door.enter("nobody", "guess after guess", "123456", "1.2.3.4")
    assert isinstance(told.value, TooOftenError)
    inn.clock.pass_(minutes=15)
    inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")


def test_an_address_that_tries_many_names_has_to_wait(kit: Programme) -> None:
    inn = Inn(kit, Limit(of_name=5, of_address=10))
    for number in range(10):
        with pytest.raises(AccessError, match="is wrong"):
            inn.door.enter(f"name{number}", "guess", "123456", "1.2.3.4")
    with pytest.raises(TooOftenError):
        inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")
    for _ in range(20):  # who gets in each time does not count
        inn.door.enter("kim", PASSWORD, inn.code(), "5.6.7.8")


def test_a_session_ends_when_nobody_was_there_and_after_a_shift(kit: Programme) -> None:
    inn = Inn(kit)
    sessions = Sessions(kit.store.database, inn.clock, Limits(idle_minutes=30, hours=10))
    token = sessions.begin("kim")
    for _ in range(20):
        inn.clock.pass_(minutes=29)
        who = sessions.who(token)
        assert who is not None
        assert who.account.name == "kim"
    inn.clock.pass_(minutes=29)
    assert sessions.who(token) is None  # 10 h 9 min
    token = sessions.begin("kim")
    inn.clock.pass_(minutes=20)
    assert sessions.who(token, watching=True) is not None  # which keeps nothing awake
    inn.clock.pass_(minutes=11)
    assert sessions.who(token) is None


def test_logging_out_and_being_disabled_end_sessions_at_once(kit: Programme) -> None:
    inn = Inn(kit)
    token, _ = inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")
    other, _ = inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")
    inn.door.leave(token)
    assert inn.sessions.who(token) is None
    assert inn.sessions.who(other) is not None
    inn.accounts.disable("kim")
    assert inn.sessions.who(other) is None
    with pytest.raises(AccessError):
        inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")
    inn.secret = inn.accounts.reset("kim", "another long password")
    token, _ = inn.door.enter("kim", "another long password", inn.code(), "1.2.3.4")
    with kit.store.database.writing() as session:
        session.execute(text("UPDATE accounts SET disabled = :yes"), {"yes": True})
    assert inn.sessions.who(token) is None


@pytest.mark.parametrize("token", ["", "x", "\ud800", "0" * 10_000])
def test_a_token_that_was_never_given_is_nobodys(kit: Programme, token: str) -> None:
    assert Inn(kit).sessions.who(token) is None


def test_the_log_tells_who_came_and_not_what_was_mistyped_for_a_name(kit: Programme) -> None:
    inn = Inn(kit)
    with pytest.raises(AccessError):
        inn.door.enter("my-secret-password", "kim", inn.code(), "1.2.3.4")
    token, _ = inn.door.enter("kim", PASSWORD, inn.code(), "1.2.3.4")
    inn.door.leave(token)
    told = [(link.entry.action, link.entry.who) for link in kit.audit.entries()]
    assert told == [("login_failed", ""), ("login", "kim"), ("logout", "kim")]
    assert kit.audit.verify() is None


def test_few_are_hashed_at_the_same_time() -> None:
    class Slow:
        def __init__(self) -> None:
            self.now = self.most = 0
            self.lock, self.full = threading.Lock(), threading.Barrier(passwords._AT_ONCE)

        def hash(self, _password: str) -> str:
            return ""

        def verify(self, _hashed: str, _password: str) -> bool:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            self.full.wait(10)
            with self.lock:
                self.now -= 1
            return True

    slow = Slow()
    crowd = Passwords(slow)  # type: ignore[arg-type] # as much of it as is used
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: crowd.fits("", ""), range(8)))
    assert slow.most == passwords._AT_ONCE

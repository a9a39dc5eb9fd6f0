"""A console with people who may use it, on a store with customers, clips and tasks; and a client without a browser."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from argon2 import PasswordHasher

from sim.console.access import totp
from sim.console.access.attempts import Limit
from sim.console.access.passwords import Passwords
from sim.console.access.sessions import Limits
from sim.console.app import application
from sim.console.programme import Programme
from sim.console.server import Place, serving
from sim.review.policy import load_policy
from sim.review.sampling import draw
from tests import review_kit

PASSWORD = "correct horse battery"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""What argon2 costs is not what these tests are about."""
PEOPLE: Mapping[str, tuple[str, str | None]] = {
    "ann": ("customer", "A0000000001"),
    "bob": ("customer", "A0000000002"),
    "kim": ("annotator", None),
    "lee": ("annotator", None),
    "max": ("lead", None),
    "ida": ("auditor", None),
}


@dataclass
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Somebody with a browser's habits and none of its protections: sends what it is told to."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def __post_init__(self) -> None:
        self.host = urlsplit(self.url).netloc
        self._line: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str | None] | None = None
    ) -> Answer:
        """Send a request; a header that is None is left out."""
        sent: dict[str, str | None] = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method == "POST":
            sent |= {"origin": self.url, "content-type": "application/x-www-form-urlencoded"}
        sent |= headers or {}
        if self._line is None:
            self._line = http.client.HTTPConnection(self.host, timeout=60)
        self._line.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
        got = self._line.getresponse()
        answer = Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        for cookie in got.headers.get_all("set-cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        if found := re.search(rb'name="csrf" (?:content|value)="([0-9a-f]{64})"', answer.body):
            self.csrf = found[1].decode()
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, headers: Mapping[str, str | None] | None = None, **fields: str) -> Answer:
        """Send a form with its token, unless another is named."""
        return self.ask("POST", path, urlencode({"csrf": self.csrf, **fields}).encode(), headers)

    def say(self, path: str, **fields: Any) -> Answer:
        """Send JSON, as the desk's script does."""
        headers = {"content-type": "application/json", "accept": "application/json", "x-csrf-token": self.csrf}
        return self.ask("POST", path, json.dumps(fields).encode(), headers)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


class House:
    """A console that answers, with one account for each of `PEOPLE` (they share a password)."""

    def __init__(
        self,
        kit: review_kit.Programme,
        policy: str = "2019-april",
        *,
        run: Path | None = None,
        limits: Limits | None = None,
        limit: Limit | None = None,
        overrides: tuple[tuple[str, str], ...] = (("rate", "1.0"),),
    ) -> None:
        self.kit, self.store, self.clock = kit, kit.store, kit.clock
        self.policy = load_policy(policy, overrides)
        self.programme = Programme.of(
            kit.store,
            self.policy,
            kit.signer,
            kit.audit,
            kit.clock,
            run=run,
            limits=limits,
            limit=limit,
            passwords=QUICK,
        )
        self.secrets: dict[str, bytes] = {}
        self.url = ""

    def people(self, **people: tuple[str, str | None]) -> None:
        """Make accounts: role and customer by name."""
        for name, (role, customer) in people.items():
            self.secrets[name] = self.programme.accounts.add(name, role, PASSWORD, customer)

    def draw(self) -> int:
        return draw(self.store, self.policy, 1, self.kit.audit, self.clock).drawn

    def code(self, name: str) -> str:
        """A code that was not used yet: time goes on for it."""
        self.clock.pass_(seconds=totp.STEP_S)
        return totp.code_of(self.secrets[name], totp.step_at(self.clock()))

    def client(self, name: str | None = None) -> Client:
        """A client, of somebody who is logged in if a name is given."""
        client = Client(self.url)
        if name is not None:
            answer = client.post("/login", name=name, password=PASSWORD, code=self.code(name))
            assert answer.status == 303, answer.text
            client.get(answer.headers["location"])
        return client


@contextmanager
def open_house(house: House) -> Iterator[House]:
    """Let the console answer on a free port."""
    with serving(application(house.programme, Place().hosts)) as url:
        house.url = url
        yield house

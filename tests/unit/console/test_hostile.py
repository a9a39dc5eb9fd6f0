"""Hostile hands: who is not meant to get at something, and does not."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sim.console.pace import Bucket
from sim.review.chain import Entry
from tests.console_kit import PASSWORD, Client, House
from tests.unit.console.conftest import EVIL

LABELS: dict[str, Any] = {
    "transcript": "what i heard",
    "addressed": True,
    "wake_word": None,
    "kind": "mundane",
    "language": "en",
    "speakers": 1,
    "seconds": 12.5,
}
ADDRESSES = {
    "ann": ["/recordings", "/recordings/{own}/sound", "/delete?scope=all", "/live", "/run"],
    "kim": ["/desk", "/desk/{task}/sound"],
    "max": ["/lead"],
    "ida": ["/log"],
}


def clips_of(house: House, number: str) -> list[str]:
    return [clip.id for clip in house.store.customer_clips(number)]


def test_each_role_sees_its_own_pages_and_no_other_is_there(house: House) -> None:
    people = {name: house.client(name) for name in ADDRESSES}
    task = people["kim"].say("/desk/next").json["task"]["id"]
    own = clips_of(house, "A0000000001")[0]
    for owner, addresses in ADDRESSES.items():
        for address in addresses:
            path = address.format(task=task, own=own)
            for name, client in people.items():
                assert client.get(path).status == (200 if name == owner else 404), (name, path)
            answer = Client(house.url).get(path)
            assert (answer.status, answer.headers["location"]) == (303, "/login")


def test_what_changes_something_is_there_for_its_role_alone(house: House) -> None:
    kim, others = house.client("kim"), [house.client(name) for name in ("ann", "max", "ida")]
    task = kim.say("/desk/next").json["task"]["id"]
    for client in others:
        for action in ("next", f"{task}/submit", f"{task}/skip", f"{task}/distress", f"{task}/again"):
            assert client.say(f"/desk/{action}", **LABELS).status == 404
    for path in ("/lead/x/resolve", "/log/verify", "/log/export", "/delete", "/choice", "/keep"):
        assert kim.post(path, sure="yes", scope="all", choice="out", note="x").status == 404
        assert Client(house.url).post(path).status == 401
    assert len(clips_of(house, "A0000000001")) == 2
    assert house.store.customers.get("A0000000001").choice is None
    assert kim.say(f"/desk/{task}/submit", **LABELS).status == 200


@pytest.mark.parametrize("path", ["/desk/{}/sound", "/desk/{}/submit", "/desk/{}/skip", "/desk/{}/distress"])
def test_anothers_task_is_not_there(house: House, path: str) -> None:
    kim, lee = house.client("kim"), house.client("lee")
    task = kim.say("/desk/next").json["task"]["id"]
    clip = clips_of(house, "A0000000001")[0]
    for guess in (task, clip, "0" * 16, "..", "%00", "x" * 5_000, "%ff", "' OR 1=1 --".replace(" ", "%20")):
        address = path.format(guess)
        answer = lee.get(address) if address.endswith("sound") else lee.say(address, **LABELS)
        assert answer.status == 404, address
        assert b"RIFF" not in answer.body
    assert kim.get(f"/desk/{task}/sound").body.startswith(b"RIFF")


def test_a_customer_gets_at_nothing_of_another(house: House) -> None:
    ann, bob = house.client("ann"), house.client("bob")
    own, others = clips_of(house, "A0000000001")[0], clips_of(house, "A0000000002")[0]
    assert ann.get(f"/recordings/{own}/sound").body.startswith(b"RIFF")
    for guess in (others, "nothing", "..%2f..%2fstore.sqlite", "%00"):
        assert ann.get(f"/recordings/{guess}/sound").status == 404
        assert ann.get(f"/delete?scope=clip&clip={guess}").status == 404
        assert ann.post("/delete", scope="clip", clip=guess, sure="yes").status == 404
    assert EVIL[:8] not in ann.get("/recordings").text
    assert others not in ann.get("/recordings").text
    deleted = bob.post("/delete", scope="clip", clip=others, sure="yes")
    assert deleted.status == 303
    statement = deleted.headers["location"]
    assert bob.get(statement).status == 200
    assert bob.get(f"{statement}/statement.json").json["statement"]["clips"] == [others]
    for path in (statement, f"{statement}/statement.json", "/deletions/nothing"):
        assert ann.get(path).status == 404
    assert len(clips_of(house, "A0000000001")) == 2
    assert bob.get(f"/recordings/{others}/sound").status == 404


def test_a_role_in_the_cookie_changes_nothing(house: House) -> None:
    kim = house.client("kim")
    token = kim.cookies["misheard"]
    for cookies in (
        {"misheard": token, "role": "auditor"},
        {"misheard": f"{token}|auditor"},
        {"misheard": token[:-1] + ("A" if token[-1] != "A" else "B")},
        {"misheard": "auditor"},
        {"misheard": ""},
    ):
        answer = Client(house.url, cookies=dict(cookies)).get("/log")
        assert answer.status in (303, 404)
        assert answer.headers.get("location", "/login") == "/login"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    answer = Client(house.url).post("/login", name="kim", password=PASSWORD, code=house.code("kim"))
    (cookie,) = [value for name, value in answer.headers.items() if name == "set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert PASSWORD not in answer.text


ELSEWHERE: list[dict[str, str | None]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site", "origin": None},
    {"sec-fetch-site": "same-site"},
    {"origin": None},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_form_of_another_site_is_refused_even_with_the_token(house: House, headers: dict[str, str | None]) -> None:
    ann = house.client("ann")
    assert ann.post("/choice", headers, choice="out").status == 403
    login = Client(house.url).post("/login", headers, name="kim", password=PASSWORD, code=house.code("kim"))
    assert login.status == 403
    assert "set-cookie" not in login.headers
    assert house.store.customers.get("A0000000001").choice is None


@pytest.mark.parametrize("token", ["", "0" * 64, "\u00e9"])
def test_a_form_without_the_token_of_the_session_is_refused(house: House, token: str) -> None:
    ann, bob = house.client("ann"), house.client("bob")
    assert ann.post("/choice", csrf=token, choice="out").status == 403
    assert ann.post("/choice", csrf=bob.csrf, choice="out").status == 403
    assert house.store.customers.get("A0000000001").choice is None
    assert ann.post("/choice", choice="out").status == 303
    assert house.store.customers.get("A0000000001").choice == "out"


def test_a_page_elsewhere_may_not_embed_the_sound_or_ask_by_another_name(house: House) -> None:
    ann = house.client("ann")
    own = clips_of(house, "A0000000001")[0]
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert ann.ask("GET", f"/recordings/{own}/sound", headers=embedded).status == 403
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "169.254.1.1", ""):
        assert ann.ask("GET", "/recordings", headers={"host": host}).status == 421
    assert ann.ask("GET", "/recordings", headers={"host": f"localhost:{ann.host.partition(':')[2]}"}).status == 200


def test_script_in_a_transcript_or_a_name_is_text(house: House) -> None:
    house.kit.audit.record(_entry(EVIL), house.clock())
    kim, bob, max_, ida = (house.client(name) for name in ("kim", "bob", "max", "ida"))
    task = next(
        found for _ in range(4) if (found := kim.say("/desk/next").json["task"]) and _skipped(kim, found["id"], EVIL)
    )
    assert task["transcript"] == EVIL  # as JSON, which is no page
    kim.say(f"/desk/{task['id']}/distress", why=EVIL)
    for client, path in ((bob, "/recordings"), (max_, "/lead"), (ida, "/log"), (kim, "/desk")):
        answer = client.get(path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script>document" not in answer.text
        assert "onerror=alert(1)>" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert re.search(r"<script(?! type=\"module\" src=\"/static/)| on\w+=\"| style=\"", answer.text) is None
    assert "&lt;script&gt;" in bob.get("/recordings").text


def _entry(name: str) -> Entry:
    return Entry(name, name, name, name, name, {name: name})


def _skipped(client: Client, task: str, unlike: str) -> bool:
    """Whether this is the task that was looked for; another one is skipped."""
    found = client.say("/desk/next").json["task"]
    if found["id"] == task and found["transcript"] == unlike:
        return True
    client.say(f"/desk/{task}/skip")
    return False


def test_two_annotators_never_get_one_task(house: House) -> None:
    clients = [house.client(name) for name in ("kim", "lee")]
    with ThreadPoolExecutor(8) as pool:

        def ask(client: Client) -> list[str]:
            seen = []
            fresh = Client(house.url, dict(client.cookies), client.csrf)
            while (task := fresh.say("/desk/next").json["task"]) is not None:
                if fresh.say(f"/desk/{task['id']}/submit", **LABELS).status == 200:
                    seen.append(task["id"])
            return seen

        done = [task for found in pool.map(ask, clients * 4) for task in found]
    assert len(done) == len(set(done)) == 4


def test_a_task_is_done_once_and_then_not_there(house: House) -> None:
    kim = house.client("kim")
    task = kim.say("/desk/next").json["task"]["id"]
    assert kim.say(f"/desk/{task}/submit", **LABELS).json["pace"]["done"] == 1
    assert kim.say(f"/desk/{task}/submit", **LABELS).status == 404
    assert kim.get(f"/desk/{task}/sound").status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"addressed": "maybe"},
        {"kind": "funny"},
        {"language": "<en>"},
        {"speakers": 10**30},
        {"seconds": "NaN"},
        {"transcript": "x" * 10_001},
        {"transcript": None},
        {"transcript": ["a"]},
    ],
)
def test_labels_that_cannot_be_are_one_sentence(house: House, wrong: dict[str, Any]) -> None:
    kim = house.client("kim")
    task = kim.say("/desk/next").json["task"]["id"]
    answer = kim.say(f"/desk/{task}/submit", **{**LABELS, **wrong})
    assert answer.status == 409
    assert next(iter(wrong)) in answer.json["error"]
    assert kim.say(f"/desk/{task}/submit", **{**LABELS, "transcript": "a\0b\ud800"}).status == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"a=b&" * 200, "application/x-www-form-urlencoded", 400),
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"x" * 70_000, "text/plain", 413),
    ],
)
def test_a_body_that_is_none_is_refused(house: House, body: bytes, kind: str, status: int) -> None:
    kim = house.client("kim")
    headers = {"content-type": kind, "x-csrf-token": kim.csrf}
    assert kim.ask("POST", "/desk/next", body, headers).status == status
    assert kim.say("/desk/next").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_not_there(house: House, method: str) -> None:
    assert house.client("kim").ask(method, "/desk", headers={"origin": house.url}).status == 404


def test_the_head_of_a_page_has_no_body(house: House) -> None:
    answer = house.client("kim").ask("HEAD", "/desk")
    assert (answer.status, answer.body) == (200, b"")


def test_whoever_asks_far_faster_than_a_person_waits() -> None:
    now = 0.0
    bucket = Bucket(per_second=2, burst=4, clock=lambda: now)
    assert [bucket.take("kim") for _ in range(6)] == [True] * 4 + [False] * 2
    assert bucket.take("lee")
    now = 1.0
    assert [bucket.take("kim") for _ in range(3)] == [True, True, False]


def test_too_many_requests_of_one_session_are_refused(house: House) -> None:
    kim = house.client("kim")
    with ThreadPoolExecutor(4) as pool:
        crowd = [Client(house.url, dict(kim.cookies)) for _ in range(4)]
        found = pool.map(lambda client: [client.get("/desk/none/sound").status for _ in range(100)], crowd)
        statuses = {status for each in found for status in each}
    assert statuses == {404, 429}
    assert house.client("lee").get("/desk").status == 200

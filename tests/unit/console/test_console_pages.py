"""What each page does, without a browser."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

from sqlalchemy import text

from device.audio import Block
from device.events import Event, Kind
from device.gauge import Gauge
from sim.console.access.sessions import Limits
from sim.console.pages.recordings import why
from sim.review.statement import is_genuine
from tests.console_kit import PASSWORD, PEOPLE, Client, House, open_house
from tests.review_kit import SAMPLES, Programme
from tests.unit.console.test_hostile import LABELS


def actions(house: House, who: str) -> list[str]:
    return [link.entry.action for link in house.kit.audit.entries(who=who)]


def test_a_session_that_has_ended_leads_back_to_the_login(house: House) -> None:
    kim, ann = house.client("kim"), house.client("ann")
    house.clock.pass_(minutes=31)
    assert kim.get("/desk").headers["location"] == "/login"
    assert kim.say("/desk/next").status == 401
    assert ann.post("/choice", choice="out").status == 401
    kim = house.client("kim")
    assert kim.post("/logout").status == 303
    assert kim.cookies["misheard"] == ""
    assert kim.get("/desk").status == 303


def test_a_replayed_code_is_refused(house: House) -> None:
    code = house.code("kim")
    assert Client(house.url).post("/login", name="kim", password=PASSWORD, code=code).status == 303
    again = Client(house.url).post("/login", name="kim", password=PASSWORD, code=code)
    assert again.status == 401
    assert "used already" in again.text
    assert "set-cookie" not in again.headers


def test_whoever_guesses_has_to_wait(house: House) -> None:
    client = Client(house.url)
    statuses = [client.post("/login", name="kim", password="guess", code="123456").status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert client.post("/login", name="kim", password=PASSWORD, code=house.code("kim")).status == 429


def test_every_listen_is_in_the_log_before_it_is_heard(house: House) -> None:
    kim, ann = house.client("kim"), house.client("ann")
    task = kim.say("/desk/next").json["task"]["id"]
    assert kim.get(f"/desk/{task}/sound").headers["accept-ranges"] == "bytes"
    part = kim.get(f"/desk/{task}/sound", range="bytes=44-99")
    assert (part.status, len(part.body)) == (206, 56)
    assert kim.say(f"/desk/{task}/again").status == 200
    assert actions(house, "kim") == ["login", "view", "listen", "listen", "listen"]
    kim.say(f"/desk/{task}/submit", **LABELS)
    (clip,) = [clip for number in (1, 2) for clip in house.store.customer_clips(f"A000000000{number}") if clip.listens]
    assert (clip.listeners, clip.listens, clip.policies) == (1, 3, ("2019-april",))
    ann.get(f"/recordings/{house.store.customer_clips('A0000000001')[0].id}/sound")
    assert actions(house, "ann") == ["login", "view", "listen"]
    assert sum(each.listeners for each in house.store.customer_clips("A0000000001")) <= 1  # she is none of them


def test_no_more_than_two_tasks_are_held_ahead(house: House) -> None:
    kim = house.client("kim")
    first = kim.say("/desk/next").json["task"]["id"]
    second = kim.say("/desk/next", besides=[first]).json["task"]["id"]
    assert second != first
    assert kim.say("/desk/next", besides=[first, second]).json["task"] is None
    assert kim.say("/desk/next", besides=[first]).json["task"]["id"] == second
    assert kim.say("/desk/next", besides={"a": 1}).json["task"]["id"] == first


def test_distress_reaches_the_lead_who_listens_and_resolves_it(house: House) -> None:
    kim, max_ = house.client("kim"), house.client("max")
    task = kim.say("/desk/next").json["task"]["id"]
    assert "max looks into it" in kim.say(f"/desk/{task}/distress", why="a cry for help").json["told"]
    page = max_.get("/lead").text
    assert "a cry for help" in page
    assert "11 April 2019" in page
    (escalation,) = house.programme.desk.escalations()
    assert max_.get(f"/lead/{escalation.id}/sound").body.startswith(b"RIFF")
    assert max_.get("/lead/none/sound").status == 404
    empty = max_.post(f"/lead/{escalation.id}/resolve", note=" ")
    assert (empty.status, "say in the note" in empty.text) == (409, True)
    house.clock.pass_(hours=25)
    max_ = house.client("max")
    assert "Overdue" in max_.get("/lead").text
    assert max_.post(f"/lead/{escalation.id}/resolve", note="the police was called").status == 303
    assert "the police was called" in max_.get("/lead").text
    assert max_.get(f"/lead/{escalation.id}/sound").status == 404
    assert "resolve" in actions(house, "max")


def test_a_customer_has_a_day_and_everything_deleted_and_gets_the_signed_statement(house: House) -> None:
    ann = house.client("ann")
    assert ann.get("/delete?scope=day&day=tomorrow").status == 400
    assert ann.get("/delete?scope=moon").status == 400
    assert "2019" in ann.get("/delete?scope=day&day=2019-04-10").text
    assert ann.post("/delete", scope="all").status == 400  # nobody is sure by chance
    assert len(house.store.customer_clips("A0000000001")) == 2
    done = ann.post("/delete", scope="all", sure="yes")
    page = ann.get(done.headers["location"])
    assert "sound in the archive" in page.text
    signed = ann.get(f"{done.headers['location']}/statement.json")
    assert signed.headers["content-disposition"].startswith("attachment")
    assert is_genuine(signed.json, house.kit.signer)
    places = {place["place"]: place for place in signed.json["statement"]["places"]}
    assert places["audio"]["state"] == "done"
    assert places["audio"]["count"] == 2
    assert places["backups"]["state"] == "cannot be reached"
    assert house.store.customer_clips("A0000000001") == []
    assert len(house.store.customer_clips("A0000000002")) == 2
    assert "delete" in actions(house, "ann")
    assert "What was deleted" in ann.get("/recordings").text


def test_choices_are_kept_and_told_as_they_work(house: House) -> None:
    ann = house.client("ann")
    assert ann.post("/choice", choice="out").status == 303
    assert "asks nobody" in ann.get("/recordings").text
    assert ann.post("/choice", choice="maybe").status == 400
    for days, kept in (("92", 92), ("549", 549), ("", None)):
        assert ann.post("/keep", days=days).status == 303
        assert house.store.customers.get("A0000000001").keep_days == kept
    assert ann.post("/keep", days="1").status == 400
    assert actions(house, "ann") == ["login", "view", "opt_out", "view", "keep", "keep", "keep"]


def test_recordings_come_page_by_page(house: House) -> None:
    ids = house.kit.rows("dot-1", 70)
    ann, seen, path = house.client("ann"), [], "/recordings"
    for _ in range(4):
        page = ann.get(path).text
        seen += [part.partition('"')[0] for part in page.split('<article class="card recording" id="')[1:]]
        if 'rel="next"' not in page:
            break
        path = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 72
    assert set(ids) < set(seen)
    for odd in ("?utc=x&clip=%00", "?clip=" + "z" * 9_000, "?utc=%f0%9f%a6%86&clip=a"):
        assert ann.get(f"/recordings{odd}").status == 200


def test_why_a_device_woke_is_said_from_its_own_facts() -> None:
    assert why({"initiator": "wakeword", "word": "hey_mycroft", "score": 0.912, "threshold": 0.5}) == (
        "The device took something for “hey mycroft”: it scored 0.91, and 0.5 is enough."
    )
    assert why({"initiator": "wakeword", "word": "alexa", "score": "x"}) == "The device took something for “alexa”."
    assert "by itself" in why({"initiator": "expect_speech"})
    assert "does not say" in why({})


def test_the_auditor_filters_verifies_and_exports(house: House) -> None:
    house.client("kim").say("/desk/next")
    ida = house.client("ida")
    assert ">view<" in ida.get("/log?who=kim").text
    filtered = ida.get("/log?action=login").text
    assert ">login<" in filtered
    assert ">view<" not in filtered
    assert "Nothing of that kind" in ida.get("/log?clip=%3Cscript%3E").text
    assert ida.get("/log?before=abc&who=%00").status == 200
    assert "The log is whole" in ida.post("/log/verify").text
    lines = [json.loads(line) for line in ida.post("/log/export").text.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-1]["entry"]["action"] == "export"
    with house.store.database.writing() as session:
        session.execute(text("UPDATE audit SET who = 'somebody' WHERE number = 2"))
    told = ida.post("/log/verify").text
    assert "not what was written" in told
    assert "entry 2" in told


def test_the_live_device_is_shown_to_whose_it_is(tmp_path: Path) -> None:
    kit, run = Programme(tmp_path), tmp_path / "run"
    kit.customer(1)
    kit.customer(2)
    run.mkdir()
    events = run / "events.jsonl"
    events.write_text(
        '{"sample": 1280, "kind": "light", "light": "listening"}\n{"sample": 1, "kind": "said", "text": "secret"}\nnot'
    )
    gauge = Gauge(run, "dot-1", ("alexa",), {"alexa": 0.5})
    gauge.hear(Block(0, SAMPLES[:1280]))
    gauge.note(Event(1280, Kind.HOP, {"scores": [0.25]}))
    house = House(kit, run=run, limits=Limits())
    house.people(**PEOPLE)
    with open_house(house):
        ann, bob = house.client("ann"), house.client("bob")
        assert 'data-device="dot-1"' in ann.get("/live").text
        assert "No run of your devices" in bob.get("/live").text
        assert bob.get("/live/dot-1/events").status == 404
        assert house.client("kim").get("/live/dot-1/events").status == 404
        assert bob.get("/run/report").status == 404
        token = ann.cookies["misheard"]
        line = http.client.HTTPConnection(ann.host, timeout=20)
        line.request("GET", "/live/dot-1/events", headers={"cookie": f"misheard={token}"})
        stream = line.getresponse()

        def news() -> dict[str, object]:
            while not (said := stream.readline()).startswith(b"data: "):
                assert said
            found: dict[str, object] = json.loads(said[6:])
            return found

        assert news() == {"begins": True}
        assert news() == {"event": {"sample": 1280, "kind": "light", "light": "listening"}}
        now = news()["now"]
        assert isinstance(now, dict)
        assert (now["device"], now["scores"], now["thresholds"]) == ("dot-1", {"alexa": 0.25}, {"alexa": 0.5})
        assert -20 < now["dbfs"] < -10
        with events.open("a") as file:
            file.write(' a line\n{"sample": 2560, "kind": "wake", "word": "alexa"}\n')
        while "now" in (found := news()):
            pass
        assert found == {"event": {"sample": 2560, "kind": "wake", "word": "alexa"}}
        gauge.close()
        while (found := news()) != {"now": None}:
            pass
        house.programme.sessions.end(token)
        while "over" not in (found := news()):
            pass
        line.close()
    kit.close()

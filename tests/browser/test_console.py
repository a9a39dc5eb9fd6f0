"""The console in a real browser: each role does its work there by keyboard and by mouse, and nobody else's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import text

from device.events import Event, Kind
from device.gauge import Gauge
from sim.cloud.schema import AnnotationRow
from sim.cloud.transcript import Transcript, Word
from tests.browser.chromium import Page, chromium
from tests.console_kit import PASSWORD, PEOPLE, House, open_house
from tests.review_kit import NOON, Programme
from tests.uplink_kit import cut, noise
from uplink.message import JSON
from wakeword.sound import RATE

EVIL = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
KEYS = {"Enter": 13, "Tab": 9, "Escape": 27, " ": 32, "+": 187}
SECONDS = 3


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A console with six clips of each of two customers, and a run of the first one's device."""
    folder = tmp_path_factory.mktemp("console")
    kit, run = Programme(folder), folder / "run"
    kit.customer(1, "Ann")
    kit.customer(2, EVIL)
    for number in range(6):
        clip(kit, "dot-1", number, "alexa play a song")
        clip(kit, "dot-2", number, EVIL)
    run.mkdir()
    (run / "events.jsonl").write_text(json.dumps({"sample": 1, "kind": "light", "light": "listening"}) + "\n")
    Gauge(run, "dot-1", ("alexa",), {"alexa": 0.5}).note(_hop())
    house = House(kit, run=run, overrides=(("rate", "1.0"), ("distress", "{assignee: max, deadline_h: 24}")))
    house.people(**PEOPLE)
    house.draw()
    with open_house(house):
        yield house
    kit.close()


def _hop() -> Event:
    return Event(1280, Kind.HOP, {"scores": [0.25]})


def clip(kit: Programme, device: str, number: int, said: str) -> None:
    begin = number * 100 * RATE
    first, *rest = cut(noise(SECONDS * RATE, number), RATE, device=device, begin=begin)
    name = f"{device}-20190410t120000000000-{begin:012d}"
    facts: dict[str, JSON] = {
        "initiator": "wakeword",
        "word": "alexa",
        "score": 0.9,
        "threshold": 0.5,
        "utc": NOON.isoformat(),
    }
    for part in (replace(first, facts=facts), *rest):
        kit.store.add(replace(part, clip=name))
    words = tuple(Word(word, 0, 100, 0.9) for word in said.split())
    kit.store.add_transcript(name, Transcript.of(words, "test"))


@pytest.fixture(scope="module")
def browser(needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all of these tests."""
    with chromium(needs("chromium"), tmp_path_factory.mktemp("browser") / "profile") as tab:
        tab.resize(1280, 900)
        yield tab


class Person:
    """Somebody at a browser that knows nothing of who was there before."""

    def __init__(self, page: Page, house: House, name: str) -> None:
        self.page, self.house = page, house
        page.call("Network.clearBrowserCookies")
        page.home = house.url
        page.visit(f"{house.url}/login")
        page.forget()
        page.wait("document.activeElement.name === 'name'")
        for word in (name, PASSWORD):
            page.type(word)
            self.press("Tab")
        page.type(house.code(name))
        self.press("Enter")
        page.wait("location.pathname !== '/login' && document.readyState === 'complete'")

    def press(self, *keys: str, control: bool = False) -> None:
        for key in keys:
            self.page.press(key, KEYS.get(key, ord(key.upper()[0])), control=control)

    def tab_to(self, selector: str) -> None:
        """Get to something by the Tab key alone."""
        for _ in range(120):
            self.press("Tab")
            if self.page.ask(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        raise AssertionError(f"{selector} cannot be reached by keyboard")

    def go(self, path: str) -> None:
        self.page.visit(self.house.url + path)

    def see(self, condition: str) -> None:
        self.page.wait(condition)

    def text(self, selector: str) -> str:
        return str(self.page.ask(f"document.querySelector({json.dumps(selector)}).textContent"))

    def done(self) -> None:
        """Nothing was refused by the page's own policy, and nothing asked for elsewhere."""
        assert self.page.complaints == []
        assert self.page.ask("document.title") != "taken"


@pytest.fixture
def come(browser: Page, house: House) -> Callable[[str], Person]:
    return lambda name: Person(browser, house, name)


READY = "!document.getElementById('task').hidden && document.getElementById('audio').duration > 0"


def annotation(house: House, task: str) -> AnnotationRow:
    with house.store.database.reading() as session:
        return session.get_one(AnnotationRow, task)


def held(house: House) -> str:
    return house.programme.desk.held("kim")[0]


def test_an_annotator_works_by_keyboard_alone(come: Callable[[str], Person], house: House) -> None:
    kim = come("kim")
    kim.see(READY)
    assert kim.page.ask("document.getElementById('facts').children.length") == 3
    kim.see("document.getElementById('audio').currentTime > 0.2")  # it plays at once
    kim.press(" ")
    kim.see("document.getElementById('audio').paused")
    at = kim.page.ask("document.getElementById('audio').currentTime")
    kim.press("s")
    assert kim.page.ask("document.getElementById('audio').playbackRate") == 0.75
    kim.press("b")
    assert kim.page.ask("document.getElementById('audio').currentTime") < at
    kim.press("r")
    kim.see("!document.getElementById('audio').paused")
    kim.press("Enter")
    kim.see("document.getElementById('told').textContent.includes('1, 2 or 3')")
    kim.press("1", "5", "8", "+")
    kim.press("t")
    assert kim.page.ask("document.activeElement.id") == "transcript"
    kim.page.ask("document.activeElement.select()")
    kim.page.type("1 lecture about humidity")
    kim.press(" ", control=True)  # which pauses, and writes nothing
    kim.see("document.getElementById('audio').paused")
    kim.press("Escape")
    task = held(house)
    kim.press("Enter")
    kim.see("document.getElementById('done').textContent === '1'")
    kim.see(READY)
    kept = annotation(house, task)
    assert (kept.transcript, kept.addressed, kept.wake_word) == ("1 lecture about humidity", True, False)
    assert (kept.kind, kept.speakers, kept.language, kept.listens) == ("upsetting", 2, "en", 2)
    assert 0 < kept.seconds < 60
    assert held(house) != task
    assert kim.text("#mine") != "–"
    assert not kim.page.ask("document.querySelector('[name=addressed]:checked')")
    kim.press("n")
    kim.see("document.getElementById('told').textContent.startsWith('Skipped')")
    kim.see(READY)
    kim.press("d")
    kim.page.type("a cry for help")
    kim.tab_to("#send")
    kim.press("Enter")
    kim.see("document.getElementById('told').textContent.startsWith('max looks into it')")
    kim.press("2", "6", "t")
    kim.press("Enter", control=True)
    kim.see("document.getElementById('done').textContent === '2'")
    kim.done()


def test_an_annotator_works_by_mouse_and_script_in_a_transcript_is_text(
    come: Callable[[str], Person], house: House
) -> None:
    kim = come("kim")
    kim.see(READY)
    kim.page.click(*kim.page.point_at("#wave", across=0.5))
    assert kim.page.ask("document.getElementById('audio').currentTime") == pytest.approx(SECONDS / 2, abs=0.5)
    for _ in range(6):
        if kim.page.ask("document.getElementById('transcript').value") == EVIL:
            break
        kim.page.click_on("#skip")
        kim.see(READY)
    assert kim.page.ask("document.getElementById('transcript').value") == EVIL
    task = held(house)
    for selector in ("[name=addressed][value=unclear]", "[name=wake_word][value=yes]", "[name=kind][value=criminal]"):
        kim.page.click_on(selector)
    kim.page.click_on("#submit")
    kim.see("document.getElementById('done').textContent === '3'")
    kept = annotation(house, task)
    assert (kept.transcript, kept.addressed, kept.wake_word, kept.kind) == (EVIL, None, True, "criminal")
    kim.done()


def test_two_annotators_do_not_see_one_task(come: Callable[[str], Person], house: House) -> None:
    come("kim").see(READY)
    hers = set(house.programme.desk.held("kim"))
    come("lee").see(READY)
    theirs = set(house.programme.desk.held("lee"))
    assert hers
    assert theirs
    assert not hers & theirs


def test_a_lead_resolves_what_was_reported(come: Callable[[str], Person], house: House) -> None:
    max_ = come("max")
    assert "a cry for help" in max_.text("main")
    assert max_.page.ask("document.querySelector('audio').play().then(() => true)")
    max_.tab_to("textarea[name=note]")
    max_.page.type(EVIL)
    max_.tab_to(".escalation button.main")
    max_.press("Enter")
    max_.see("document.querySelector('.escalation.resolved') !== null")
    assert EVIL in max_.text(".escalation.resolved")
    assert house.programme.desk.escalations()[0].state == "resolved"
    max_.done()


def test_an_auditor_filters_and_verifies(come: Callable[[str], Person]) -> None:
    ida = come("ida")
    ida.tab_to("input[name=action]")
    ida.page.type("escalate")
    ida.press("Enter")
    ida.see("location.search.includes('escalate') && document.readyState === 'complete'")
    assert ida.page.ask("document.querySelectorAll('.log tbody tr').length") == 1
    ida.page.click_on("form[action='/log/verify'] button")
    ida.see("document.getElementById('verdict') !== null")
    assert "The log is whole" in ida.text("#verdict")
    ida.done()


def test_a_customer_listens_opts_out_and_deletes(come: Callable[[str], Person], house: House) -> None:
    bob = come("bob")
    assert EVIL in bob.text("h1")
    assert "“" + EVIL + "”" in bob.text(".recording")
    assert "scored 0.90, and 0.5 is enough" in bob.text(".recording")
    assert bob.page.ask("document.querySelector('audio').play().then(() => true)")
    bob.page.click_on("form[action='/choice'] button")
    bob.see("document.querySelector('.choices button[aria-pressed]') !== null")
    assert house.store.customers.get("A0000000002").choice == "out"
    bob.page.click_on(".recording a.button")
    bob.see("location.pathname === '/delete'")
    bob.tab_to("button.warn")  # the rest by keyboard
    bob.press("Enter")
    bob.see("location.pathname.startsWith('/deletions/')")
    assert "1 recording" in bob.text("main")
    statement = bob.page.ask("fetch(document.querySelector('a[download]').href).then((answer) => answer.json())")
    assert len(statement["statement"]["clips"]) == 1
    assert len(house.store.customer_clips("A0000000002")) == 5
    bob.go("/recordings")
    bob.tab_to("a.warn")
    bob.press("Enter")
    bob.see("location.search === '?scope=all'")
    bob.page.click_on("button.warn")
    bob.see("location.pathname.startsWith('/deletions/')")
    assert house.store.customer_clips("A0000000002") == []
    assert len(house.store.customer_clips("A0000000001")) == 6
    bob.done()


def test_a_customer_sees_the_live_device_and_no_other_does(come: Callable[[str], Person]) -> None:
    ann = come("ann")
    ann.go("/live")
    ann.see("document.querySelector('[data-light=listening]') !== null")
    assert "sound leaves the home" in ann.text(".state")
    assert ann.page.ask("document.querySelector('.ring').getAttribute('aria-label')") == "Light ring: listening"
    ann.done()
    bob = come("bob")
    bob.go("/live")
    assert bob.page.ask("document.querySelector('.device')") is None


OWN = {"ann": "/recordings", "kim": "/desk", "max": "/lead", "ida": "/log"}


@pytest.mark.parametrize("name", OWN)
def test_nobody_reaches_the_pages_of_another_role(come: Callable[[str], Person], name: str) -> None:
    person = come(name)
    assert person.page.ask("location.pathname") == OWN[name]
    for path in {*OWN.values(), "/live", "/run"} - {OWN[name]} - ({"/live", "/run"} if name == "ann" else set()):
        person.go(path)
        assert person.text("h1") == "Not here"
    assert person.page.ask("document.cookie") == ""  # no script can have it
    cookie = {"name": "role", "value": "auditor", "url": person.house.url}
    person.page.call("Network.setCookie", **cookie)
    person.go("/log")
    assert (person.text("h1") == "Not here") == (name != "ida")


def test_another_site_can_do_nothing_in_somebodys_name(come: Callable[[str], Person], house: House) -> None:
    ann = come("ann")
    own = house.store.customer_clips("A0000000001")[0].id
    evil = f"""<!doctype html><iframe src="{house.url}/recordings"></iframe>
        <form method="post" action="{house.url}/choice"><input name="choice" value="out"></form>
        <script>
        window.found = 'nothing';
        const sound = new Audio('{house.url}/recordings/{own}/sound');
        sound.onloadeddata = () => {{ window.found = 'sound'; }};
        sound.onerror = () => {{ window.found = 'refused'; }};
        </script>""".encode()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(evil)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        ann.page.visit(f"http://localhost:{site.server_port}/")  # to a browser another site than 127.0.0.1
        ann.see("window.found !== 'nothing'")
        assert ann.page.ask("window.found") == "refused"
        assert any("frame-ancestors" in told for told in ann.page.complaints)
        ann.page.ask("document.querySelector('form').submit()")
        ann.see(f"location.origin === {json.dumps(house.url)}")
        assert "did not come from a page of this console" in ann.text("body")
        site.shutdown()
    assert house.store.customers.get("A0000000001").choice is None


def test_a_store_that_is_gone_and_comes_back_is_one_sentence(come: Callable[[str], Person], house: House) -> None:
    kim = come("kim")
    kim.see(READY)
    rename(house, "annotations", "elsewhere")
    kim.press("1", "4", "Enter")
    kim.see("document.getElementById('told').textContent.startsWith('The store cannot be reached')")
    assert kim.page.ask("document.getElementById('transcript').value") != ""  # and nothing is lost
    rename(house, "elsewhere", "annotations")
    before = kim.text("#done")
    kim.press("Enter")
    kim.see(f"document.getElementById('done').textContent === '{int(before) + 1}'")
    rename(house, "sessions", "elsewhere")
    kim.go("/desk")
    assert kim.text("main p") == "The store cannot be reached at the moment; try again in a minute."
    rename(house, "elsewhere", "sessions")
    kim.go("/desk")
    kim.see(READY)


def rename(house: House, table: str, name: str) -> None:
    with house.store.database.writing() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_a_session_that_ends_leads_back_to_the_login(come: Callable[[str], Person], house: House) -> None:
    kim = come("kim")
    kim.see(READY)
    house.clock.pass_(minutes=31)
    kim.press("1", "4", "Enter")
    kim.see("location.pathname === '/login'")


@pytest.mark.parametrize(
    ("name", "path"), [("kim", "/desk"), ("ann", "/recordings"), ("max", "/lead"), ("ida", "/log")]
)
def test_at_400_percent_nothing_needs_to_be_scrolled_sideways(
    come: Callable[[str], Person], name: str, path: str
) -> None:
    person = come(name)
    person.page.resize(320, 256)  # 1280 by 1024 at 400 %
    person.go(path)
    person.see("document.readyState === 'complete'")
    assert person.page.ask("document.documentElement.scrollWidth") == 320
    tree = person.page.call("Accessibility.getFullAXTree")["nodes"]
    for node in tree:
        role, said = node.get("role", {}).get("value"), node.get("name", {}).get("value")
        if role in ("button", "textbox", "radio", "slider", "link", "spinbutton", "combobox", "Audio"):
            assert said, f"a {role} without a name"
    person.page.resize(1280, 900)

"""The report in a real browser, opened from the disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.rundir import RunDirectory
from sim.report import write_report
from tests.browser.chromium import Page
from tests.unit.sim.test_report import CLIP, EVIL, STREAM, TOLD, make_run
from wakeword.frames import HOP
from wakeword.sound import RATE, encode_flac


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A made-up run of five seconds in which a bit of everything happens."""
    folder = make_run(tmp_path / "run")
    write_report(folder)
    return folder


def run_of(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def titles(page: Page) -> list[str]:
    found: list[str] = page.ask("[...document.querySelectorAll('.lane .label b')].map((b) => b.textContent)")
    return found


def number_of(page: Page, selector: str) -> int:
    return int(page.ask(f"document.querySelectorAll({json.dumps(selector)}).length"))


def test_a_real_run_is_all_there(page: Page, kitchen: Path) -> None:
    page.open(kitchen / "report.html")
    outcome = run_of(kitchen)
    assert outcome["wakes"]["false"] >= 1
    assert titles(page) == [
        "whole run", "time", "microphone", "ben", "ann", "heard", "device says", "“alexa”", "light", "recording",
        "decisions", "on the wire",
    ]  # fmt: skip
    assert number_of(page, ".chain") >= 1
    assert number_of(page, ".step.woke") == number_of(page, ".span.wake")
    assert number_of(page, ".levels li") == 2 * number_of(page, ".span.prompt")  # two people were there
    assert number_of(page, ".span.wake") == outcome["wakes"]["true"] + outcome["wakes"]["false"]
    assert number_of(page, ".span.near-miss") == outcome["wakes"]["near_misses"]
    assert number_of(page, ".clip") == number_of(page, ".span.capture") == outcome["clips"]["captured"]
    assert number_of(page, ".said .span") == len(outcome["manifest"]["scenario"]["script"])
    assert number_of(page, ".clip .verdict.false") == outcome["wakes"]["false"]
    assert number_of(page, ".clip ins") >= 1  # the recognizer misheard something
    assert len(page.ask("document.querySelector('path.wave').getAttribute('d')")) > 1_000
    assert "while nobody addressed it" in page.ask("document.querySelector('h1').textContent")
    assert page.complaints == []


def test_a_click_plays_the_home_from_there(page: Page, kitchen: Path) -> None:
    page.open(kitchen / "report.html")
    page.click(*page.point_at(".microphone .track", across=0.25))
    length = page.ask("run.length")
    assert page.ask("document.querySelector('audio.home').currentTime") >= length / 4 / RATE - 0.1
    page.wait(f"player.playing === player.sources[0] && player.at > {length} / 4 + run.rate / 2")
    assert page.ask("player.at") < length / 4 + 10 * RATE
    assert page.ask("document.querySelector('audio.home').currentTime") == pytest.approx(
        page.ask("player.at") / RATE, abs=0.5
    )
    assert page.ask("parseFloat(document.querySelector('.over .cursor').style.left)") > 25
    page.press(" ", 32)
    assert page.ask("player.playing === null && document.querySelector('audio.home').paused")
    stopped = page.ask("player.at")
    page.press("ArrowRight", 39)
    assert page.ask("player.at") == pytest.approx(stopped + RATE)
    page.press("ArrowLeft", 37)
    assert page.ask("player.at") == pytest.approx(stopped)
    page.press("Home", 36)
    assert page.ask("player.at") == 0
    page.press(" ", 32)
    page.wait("player.playing !== null && player.at > 0")
    assert page.complaints == []


def test_a_clip_plays_and_the_cursor_goes_with_it(page: Page, kitchen: Path) -> None:
    page.open(kitchen / "report.html")
    begin, end = (page.ask(f"Number(document.querySelector('#clip-1').dataset.{name})") for name in ("begin", "end"))
    page.click_on("#clip-1 .play")
    page.wait(f"player.playing?.card?.id === 'clip-1' && player.at > {begin} + run.rate / 2")
    assert page.ask("player.at") < end
    assert page.ask("document.querySelector('#clip-1 .play').getAttribute('aria-label')") == "Pause"
    assert page.ask("!document.querySelector('#clip-1 .cursor').hidden")
    page.click_on("#clip-1 .play")
    assert page.ask("player.playing === null")
    page.click_on("#clip-1 .picture")
    page.wait(f"player.playing?.card?.id === 'clip-1' && player.at > ({begin} + {end}) / 2")
    page.click_on("#clip-2 .play")  # one sound at a time
    page.wait("player.playing?.card?.id === 'clip-2'")
    assert page.ask("document.querySelector('#clip-1 audio').paused")
    assert page.complaints == []


def test_a_clip_ends_where_it_ends(page: Page, small: Path) -> None:
    page.open(small / "report.html")
    page.click_on("#clip-1 .play")
    page.wait("player.playing === null && player.at > 40000")
    assert page.ask("player.at") == pytest.approx(48_000, abs=RATE / 4)


def test_where_the_home_was_not_kept_a_click_plays_the_clip(page: Page, small: Path) -> None:
    (small / "home.flac").unlink()
    write_report(small)
    page.open(small / "report.html")
    assert "microphone" not in titles(page)
    page.click(*page.point_at(".recording .track", across=36_000 / 80_000))
    page.wait("player.playing?.card?.id === 'clip-1' && player.at > 37000")
    assert page.complaints == []


def test_zoom_stays_at_the_pointer_and_drag_moves(page: Page, kitchen: Path) -> None:
    page.open(kitchen / "report.html")
    length = page.ask("run.length")
    x, y = page.point_at(".score .track", across=0.4)
    for _ in range(5):
        page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-100, modifiers=2)
    page.wait("view.span < run.length / 5")
    assert page.ask(f"(({x} - under.getBoundingClientRect().left) / under.clientWidth) * view.span + view.from") == (
        pytest.approx(0.4 * length, rel=0.01)
    )
    before, span = page.ask("view.from"), page.ask("view.span")
    page.mouse("mouseMoved", x, y)
    page.mouse("mousePressed", x, y)
    for step in (20, 60, 100):
        page.mouse("mouseMoved", x - step, y, buttons=1)
    page.mouse("mouseReleased", x - 100, y)
    width = page.ask("under.clientWidth")
    assert page.ask("view.from") == pytest.approx(before + 100 / width * span, rel=0.02)
    assert page.ask("player.playing === null")  # a drag is no click
    page.press("0", 48)
    page.wait("view.from === 0 && view.to === run.length")
    page.click_on("#clip-2 .show")
    page.wait("view.from > 0")
    begin = page.ask("Number(document.querySelector('#clip-2').dataset.begin)")
    assert page.ask("view.from") == begin - RATE
    page.click_on("#zoom-all")
    page.wait("view.span === run.length")
    page.click(*page.point_at(".overview .track", across=0.9))  # nothing to move when all is in sight
    assert page.ask("view.from") == 0
    assert page.complaints == []


def test_pointing_tells_the_numbers(page: Page, kitchen: Path, small: Path) -> None:
    page.open(kitchen / "report.html")
    scores = np.load(kitchen / "scores.npy")[:, 0]
    hop = int(np.argmax(scores))
    length = page.ask("run.length")
    page.point_at(".score .track", across=(hop + 0.5) * HOP / length, down=0.95)
    page.wait("!tip.hidden")
    shown = page.ask("tip.textContent")
    near = scores[max(0, hop - 1) : hop + 2]
    assert any(f"score {score:.3f}, threshold 0.5" in shown for score in near)
    page.point_at(".part")
    assert "receipt at" in page.ask("tip.textContent")
    page.point_at("h1")
    assert page.ask("tip.hidden && hair.hidden")
    page.open(small / "report.html")
    page.point_at(".span.near-miss")
    assert "near miss: score 0.400, threshold 0.5" in page.ask("tip.textContent")
    page.point_at(".microphone .track", across=0.36)
    level = float(page.ask("tip.textContent.match(/peak (-[0-9.]+) dBFS/)[1]"))
    assert level == pytest.approx(20 * np.log10(8_000 / 32_768), abs=0.2)


def test_what_people_say_and_are_called_does_not_run(page: Page, tmp_path: Path) -> None:
    spoiled = {"text": EVIL, "why": EVIL, "reason": EVIL, "recognizer": EVIL}
    told = [(at, kind, {name: spoiled.get(name, fact) for name, fact in facts.items()}) for at, kind, facts in TOLD]
    scenario = {"name": EVIL, "shows": EVIL, "people": {EVIL: {}}, "script": [{"who": EVIL, "say": EVIL}]}
    evil = {
        "scenario": scenario,
        "device": {"name": EVIL},
        "source": EVIL,
        "versions": {EVIL: EVIL},
        "recognizer": EVIL,
    }
    folder = make_run(tmp_path / "run", told, words=(EVIL, "alexa"), **evil)
    write_report(folder)
    page.open(folder / "report.html")
    assert page.ask("document.title") == f"{EVIL} – misheard"
    assert number_of(page, "img") == 0
    assert number_of(page, "script") == 2
    assert page.ask("document.querySelector('.span.prompt').textContent") == EVIL
    assert EVIL in page.ask("document.querySelector('#clip-1').textContent")
    page.point_at(".span.prompt")
    page.wait("!tip.hidden")
    assert EVIL in page.ask("tip.textContent")
    assert page.complaints == []


@pytest.mark.parametrize("missing", ["events.jsonl", "scores.npy", "labels.txt", "home.flac", "clips"])
def test_with_a_file_missing_the_rest_is_shown(page: Page, small: Path, missing: str) -> None:
    shutil.rmtree(small / missing) if missing == "clips" else (small / missing).unlink()
    write_report(small)
    page.open(small / "report.html")
    assert page.ask("document.querySelector('h1').textContent").startswith("The device woke once")
    assert number_of(page, ".lane") > 2
    assert number_of(page, ".clip") == 1
    assert page.complaints == []


def test_a_run_in_which_nothing_was_heard_is_shown(page: Page, tmp_path: Path) -> None:
    RunDirectory(tmp_path / "run", STREAM, ("alexa",), keep_audio=True).close({})
    write_report(tmp_path / "run")
    page.open(tmp_path / "run" / "report.html")
    assert titles(page) == ["whole run", "time"]
    assert page.ask("document.getElementById('play').hidden")
    page.click(*page.point_at(".axis .track"))
    page.press(" ", 32)
    assert page.complaints == []


def test_sound_beside_the_page_is_played_and_missed(page: Page, small: Path) -> None:
    noise = np.random.default_rng(1).integers(-30_000, 30_000, 240 * RATE).astype(np.int16)
    (small / "home.flac").write_bytes(encode_flac(noise))
    write_report(small)
    page.open(small / "report.html")
    page.click(*page.point_at(".microphone .track", across=0.5))
    page.wait("player.playing && player.at > run.length / 2 + 1000")
    assert page.complaints == []
    (small / "home.flac").unlink()
    page.open(small / "report.html")
    page.click(*page.point_at(".microphone .track", across=0.5))
    page.wait("[...document.querySelectorAll('#remarks .bad')].length === 1")
    assert page.ask("player.playing === null")


def test_a_phone_has_no_need_to_scroll_sideways(page: Page, kitchen: Path) -> None:
    page.open(kitchen / "report.html", width=360, height=740)
    assert page.ask("document.documentElement.scrollWidth") == 360
    assert page.ask("document.querySelector('.microphone .track').clientWidth") > 300


def test_dark_and_print(page: Page, kitchen: Path) -> None:
    light = "rgb(244, 243, 240)"
    page.open(kitchen / "report.html")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.ask(background) == light
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.call("Emulation.setEmulatedMedia", features=dark)
    page.wait(f"{background} === 'rgb(18, 21, 25)'")
    page.call("Emulation.setEmulatedMedia", media="print", features=dark)
    page.wait(f"{background} === 'rgb(255, 255, 255)'")
    assert page.ask("getComputedStyle(document.getElementById('tools')).display") == "none"
    page.ask("view.show(0, run.rate)")
    page.wait("view.span === run.rate")
    page.ask("addEventListener('beforeprint', () => { window.printed = view.span; })")
    page.call("Page.printToPDF", printBackground=True)
    assert page.ask("window.printed") == page.ask("run.length")  # the whole run is printed
    page.wait("view.span === run.rate")


def test_a_screen_reader_finds_names(page: Page, small: Path) -> None:
    page.open(small / "report.html")
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    named = {(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in tree}
    assert {("slider", "Timeline"), ("button", "Play"), ("button", "Play clip 1"), ("button", "Show less")} <= named
    page.ask("document.querySelector('details').open = true")
    words = page.ask("document.querySelector('table').textContent")
    assert "woke the device: score 0.600, threshold 0.5" in words
    assert CLIP not in words  # a clip has a number that can be said

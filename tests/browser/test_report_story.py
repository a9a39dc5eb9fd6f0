"""The story, who could hear the device, and the table of what-ifs, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.report import write_report
from tests.browser.chromium import Page
from tests.report_kit import WHAT_IF, Evening, oregon_run
from wakeword.sound import RATE


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = oregon_run(tmp_path_factory.mktemp("story") / "run")
    write_report(folder)
    return folder


def number_of(page: Page, selector: str) -> int:
    return int(page.ask(f"document.querySelectorAll({json.dumps(selector)}).length"))


def test_each_step_has_its_sound_one_click_away(page: Page, evening: Path) -> None:
    page.open(evening / "report.html")
    assert number_of(page, ".step") == 8
    button = ".step.spoke .hear"
    begin, end = (page.ask(f"Number(document.querySelector('{button}').dataset.{name})") for name in ("begin", "end"))
    page.click_on(button)
    page.wait(f"player.playing && player.at > {begin} + 800")
    assert page.ask(f"document.querySelector('{button}').getAttribute('aria-label')") == "Pause"
    page.wait("player.playing === null")  # it stops where the step ends
    assert page.ask("player.at") == pytest.approx(end, abs=RATE / 10)
    assert page.ask(f"document.querySelector('{button}').getAttribute('aria-label')") == "Hear step 4: The device said"
    assert page.complaints == []


def test_a_step_is_stopped_by_a_second_click_and_by_another(page: Page, evening: Path) -> None:
    page.open(evening / "report.html")
    page.click_on(".step.sent .hear")
    page.wait("player.playing !== null")
    page.click_on(".step.sent .hear")
    assert page.ask("player.playing === null")
    page.click_on(".step.sent .hear")
    page.click_on(".step.woke .hear")
    page.wait("player.playing && player.at < 100000")
    assert page.ask("document.querySelector('.step.sent .hear').textContent") == "▶"
    page.click(*page.point_at(".microphone .track", across=0.9))
    page.wait("player.at > 0.9 * run.length")
    assert page.ask("document.querySelector('.step.woke .hear').textContent") == "▶"


def test_the_keyboard_reaches_every_step(page: Page, evening: Path) -> None:
    page.open(evening / "report.html")
    page.ask("document.querySelector('.chain summary').focus()")
    page.press("Tab", 9)
    assert page.ask("document.activeElement.matches('.step.woke .hear')")
    page.press("Tab", 9)
    assert page.ask("document.activeElement.matches('.step.woke .show')")
    page.ask("document.activeElement.click()")
    page.wait("view.span < run.length / 2")
    woke = page.ask("Number(document.querySelector('.step.woke').dataset.at)")
    assert page.ask("player.at") == woke
    assert page.ask("view.from") < woke < page.ask("view.to")


def test_words_show_at_their_times_when_there_is_room(page: Page, evening: Path) -> None:
    page.open(evening / "report.html")
    assert number_of(page, ".said .w") == 0
    assert page.ask("document.querySelector('.said .words').textContent").startswith("I went to the lecture")
    page.ask("view.show(run.rate * 2, run.rate * 6)")
    page.wait("document.querySelectorAll('.said .w').length >= 8")
    word = "[...document.querySelectorAll('.said .w')].find((each) => each.textContent === 'lecture')"
    begin = page.ask("run.lanes.find((lane) => lane.title === 'ann').spans[0].words[4][1]")
    left = page.ask(f"{word}.getBoundingClientRect().left - under.getBoundingClientRect().left")
    assert left == pytest.approx((begin - 2 * RATE) / (4 * RATE) * page.ask("under.clientWidth"), abs=2)
    page.point_at(".heard .w", down=0.3)
    page.wait("!tip.hidden")
    assert "confidence 0." in page.ask("tip.textContent")
    assert "or: “electric about humidity" in page.ask("tip.textContent")


def test_pointing_at_a_prompt_says_who_could_hear_it(page: Page, evening: Path) -> None:
    page.open(evening / "report.html")
    assert number_of(page, ".span.prompt.unheard") == 1
    page.point_at(".span.prompt.unheard")
    page.wait("!tip.hidden")
    assert "ann did not hear it, at 38 dB against 61 dB of all else" in page.ask("tip.textContent")
    widths = [page.ask(f"document.querySelector('.levels .{look}').clientWidth") for look in ("level", "rest")]
    assert widths[0] / widths[1] == pytest.approx(38.2 / 61.4, abs=0.05)


def test_the_table_shows_one_end_a_row_in_shape_and_word(page: Page, evening: Path) -> None:
    page.open(evening / "report.html")
    assert number_of(page, ".whatif tbody tr") == len(WHAT_IF)
    assert number_of(page, ".whatif tr.kept td.end") == number_of(page, ".whatif tr.kept") == 5
    assert page.ask("[...document.querySelectorAll('td.end')].every((cell) => cell.textContent.includes('■'))")
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    named = {(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in tree}
    assert ("columnheader", "second look") in named
    assert any(role == "rowheader" and str(name).startswith("verifier=on") for role, name in named)
    assert ("button", "Hear step 1: Woke") in named


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_makes_the_page_scroll_sideways(page: Page, evening: Path, width: int) -> None:
    page.open(evening / "report.html", width=width)
    assert page.ask("document.documentElement.scrollWidth") == width


def test_a_click_in_a_devices_lanes_plays_what_it_heard(page: Page, tmp_path: Path) -> None:
    folder = oregon_run(tmp_path / "run")
    Evening("hall").write(folder / "devices" / "hall")
    write_report(folder)
    page.open(folder / "report.html")
    assert page.ask("[...document.querySelectorAll('.device')].map((each) => each.textContent)") == ["echo-dot", "hall"]
    place = "[...document.querySelectorAll('.microphone .track')][{}]"
    for number, name in ((1, "hall"), (0, "echo-dot")):
        page.ask(f"{place.format(number)}.scrollIntoView({{block: 'center'}})")
        box = page.ask(f"{place.format(number)}.getBoundingClientRect().toJSON()")
        page.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait(f"player.playing?.device === '{name}' && player.at > run.length / 2")
    assert page.complaints == []

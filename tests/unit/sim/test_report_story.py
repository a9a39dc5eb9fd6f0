"""The chain of decisions, and who could hear the device, as they stand on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sim.report.chain import Chain, chains_of
from sim.report.clips import clips_of
from sim.report.folder import read_run
from sim.report.hearing import prompts_of
from sim.report.quote import Quote, said_at
from sim.report.speech import Spoken, Word, said_between, spoken, words_of
from tests.report_kit import LINES, Evening, oregon_run, woken
from tests.unit.sim.test_report import lanes_of, page_of, text_of
from wakeword.sound import RATE


def chains(folder: Path) -> tuple[Chain, ...]:
    run = read_run(folder)
    clips, _ = clips_of(run)
    for number, clip in enumerate(clips, 1):
        clip.number = number
    return chains_of(run, clips, spoken(run))


def titles(chain: Chain) -> list[str]:
    return [step.title for step in chain.steps]


# The chain.


def test_the_chain_goes_from_the_wake_to_the_message(tmp_path: Path) -> None:
    (chain,) = chains(oregon_run(tmp_path / "run"))
    assert titles(chain) == [
        "Woke", "No second look", "Heard a request", "The device said", "Heard a name", "The device said",
        "Heard an answer", "Sent to Frank",
    ]  # fmt: skip
    woke, _, request, whom, name, right, answer, sent = chain.steps
    assert woke.said is not None
    assert (woke.said.text, woke.said.who, woke.taken_for) == ("lecture", ("ann",), "“alexa”")
    assert (woke.score, woke.needed, woke.text) == (0.53, 0.5, "Nobody had addressed the device.")
    assert request.heard is not None
    assert (request.heard.text, request.taken_for) == ("so i sent a message", "a request to send a message")
    assert request.said is not None
    assert "So I sent a message" in request.said.text
    assert (request.score, request.needed) == (0.84, 0.7)
    assert whom.prompt is not None
    assert right.prompt is not None
    assert (whom.prompt.text, whom.prompt.heard_by) == ("To whom?", "heard by nobody")
    assert (right.prompt.text, right.prompt.heard_by) == ("Frank, right?", "heard by ben")
    assert (name.taken_for, name.score, name.others) == ("Frank", 0.71, ("Linda 0.33",))
    assert "by sound" in name.text
    assert (answer.taken_for, answer.score) == ("“yes”", 1.0)
    assert sent.said is not None
    assert sent.said.text == " ".join(text for _, _, text in LINES[4:])
    assert chain.harm
    assert chain.came_of_it.replace("\N{NO-BREAK SPACE}", " ") == "12.2 s sent to Frank"


def test_the_sound_of_a_step_is_that_of_its_words(tmp_path: Path) -> None:
    (chain,) = chains(oregon_run(tmp_path / "run"))
    lines = spoken(read_run(tmp_path / "run"))
    for step in chain.steps:
        if step.said is not None:
            assert step.said.text in said_between(lines, step.begin, step.end)
    whom = chain.steps[3]
    assert (whom.begin, whom.end - whom.begin) == (188_000, RATE * len("To whom?") // 16)


def test_the_page_tells_the_chain_with_its_sound_and_numbers(tmp_path: Path) -> None:
    page = page_of(oregon_run(tmp_path / "run"))
    text = text_of(page)
    for told in (
        "Woke on “lecture” → 12.2 s sent to Frank",
        "really said by ann “I went to the lecture about humidity last night.",
        "0.53 , 0.5 needed",
        "taken for a request to send a message",
        "It was heard by nobody.",
        "ann did not hear it, at 38 dB against 61 dB of all else; 3% of it stood out",
        "ben heard it, at 38 dB against 30 dB of all else; 71% of it stood out",
        "12.2 s of what was said went to Frank, which nobody had meant.",
        "12.2 s of it went to Frank as a message that nobody had meant.",
        "1 other reading",
        "3 words of 18 misheard",
        "1 word of 7 misheard",
    ):
        assert told in text.replace("\N{NO-BREAK SPACE}", " "), told
    assert page.count('class="play hear"') == 7
    assert lanes_of(page)["decisions"]["spans"][0]["text"] == "1–2"
    assert [span["look"] for span in lanes_of(page)["device says"]["spans"]] == ["prompt unheard", "prompt"]


def test_words_stand_at_their_times_with_how_sure_the_recognizer_was(tmp_path: Path) -> None:
    lanes = lanes_of(page_of(oregon_run(tmp_path / "run")))
    said, heard = lanes["ann"]["spans"][0]["words"], lanes["heard"]["spans"][0]["words"]
    assert [word[0] for word in said] == LINES[0][2].split()
    assert heard[2][:1] + heard[2][3:] == ["about", "confidence 0.76"]
    assert heard[0][1] >= lanes["heard"]["spans"][0]["begin"]


@pytest.mark.parametrize(
    ("kind", "facts", "title", "came_of_it"),
    [
        ("verified", {"passed": False, "method": "phonetic", "score": 0.2, "threshold": 0.5}, "Second look",
         "stopped by the second look at the wake word"),
        ("arbitrated", {"device": "echo-dot", "winner": "hall", "of": [["echo-dot", -41.2], ["hall", -30.0]]},
         "Which device", "left to hall"),
        ("intent", {"intent": "none", "phrase": "", "score": 0.3, "slots": {}}, "Heard no request",
         "not taken for a request"),
        ("contact", {"heard": "office", "name": None, "score": 0.4, "candidates": [["Otis", 0.4]]}, "Heard no name",
         "no contact was close enough"),
        ("confirmation", {"heard": "so", "answer": "unclear", "score": 0.1}, "Heard an answer", "not confirmed"),
        ("blocked", {"what": "send_message", "why": "communications are off"}, "Refused",
         "refused: send message: communications are off"),
        ("contact", {"heard": "frank", "name": None, "score": 1.0, "needed": 0.7}, "Heard no name",
         "several contacts have that name"),
        ("action", {"name": "timer", "value": 90}, "Did", "timer of 90.0 s"),
        ("action", {"name": "time", "value": "2018-05-24T18:42:07-07:00"}, "Did", "time told: 18:42"),
        ("action", {"name": "volume", "value": 5}, "Did", "volume: 5"),
        ("action", {"name": "stop", "value": None}, "Did", "stop"),
        ("deleted", {"clips": ["x", "y"], "what": ["audio"], "kept": ["transcripts"]}, "Deleted",
         "2 clips deleted, transcripts kept"),
        ("dialog_ended", {"why": "cancelled"}, "Ended", "cancelled"),
        ("expect_timed_out", {}, "Time ran out", "nobody answered the device"),
        ("thinking_timed_out", {}, "Time ran out", "the far end did not answer in time"),
    ],
)  # fmt: skip
def test_each_way_a_chain_can_end(
    tmp_path: Path, kind: str, facts: dict[str, Any], title: str, came_of_it: str
) -> None:
    home, clip = woken()
    home.tell(140_000, kind, clip=clip, **facts)
    (chain,) = chains(home.write(tmp_path / "run"))
    assert title in titles(chain)
    assert chain.came_of_it.replace("\N{NO-BREAK SPACE}", " ") == came_of_it
    assert not chain.harm


def test_words_of_another_reading_are_told_as_such(tmp_path: Path) -> None:
    home, _ = woken()
    heard, other = "so i sent a massage", "we so i sent a message to the office now"
    clip = home.capture(200_000, 280_000, "expect_speech", heard, alternatives=[heard, other])
    home.tell(280_000, "intent", clip=clip, intent="send_message", phrase="sent a message", score=0.9, slots={})
    folder = home.write(tmp_path / "run")
    (chain,) = chains(folder)
    assert chain.steps[-1].heard == Quote("sent a message", "we so i", "to the office now", other=True)
    assert "heard, in another reading “we so i sent a message to the office now”" in text_of(page_of(folder))


def test_what_came_nearest_to_a_request_is_told(tmp_path: Path) -> None:
    home, clip = woken()
    near = {"intent": "cancel", "phrase": "can sell", "score": 0.65, "needed": 0.75}
    home.tell(140_000, "intent", clip=clip, intent="none", phrase="", score=0.0, slots={}, nearest=near)
    (chain,) = chains(home.write(tmp_path / "run"))
    assert (chain.steps[-1].score, chain.steps[-1].needed) == (0.65, 0.75)
    assert "Nearest came “can sell”, to “cancel”." in chain.steps[-1].text


def test_what_was_asked_again_did_not_stop_the_chain(tmp_path: Path) -> None:
    home, clip = woken()
    home.tell(136_000, "intent", clip=clip, intent="send_message", phrase="sent a message", score=0.8, needed=0.75)
    second = home.capture(200_000, 260_000, "expect_speech", "the office")
    home.tell(260_000, "contact", clip=second, heard="the office", name=None, score=0.4, needed=0.7, candidates=[])
    third = home.capture(300_000, 340_000, "expect_speech", "frank")
    home.tell(340_000, "contact", clip=third, heard="frank", name="Frank", score=1.0, needed=0.7, candidates=[])
    home.tell(350_000, "expect_timed_out", clip=third)
    (chain,) = chains(home.write(tmp_path / "run"))
    assert [step.title for step in chain.steps if step.stop] == ["Time ran out"]
    assert [step.needed for step in chain.steps if step.heard] == [0.75, 0.7, 0.7]
    assert chain.came_of_it == "nobody answered the device"


def test_what_a_device_heard_after_it_was_left_aside_does_not_count(tmp_path: Path) -> None:
    home, clip = woken()
    home.tell(60_000, "arbitrated", clip=clip, device="echo-dot", winner="hall", of=[])
    (chain,) = chains(home.write(tmp_path / "run"))
    assert [step.title for step in chain.steps] == ["Woke", "No second look", "Which device", "Heard"]
    assert chain.came_of_it == "left to hall"


def test_what_was_meant_stands_beside_what_it_was_taken_for(tmp_path: Path) -> None:
    home, clip = woken(to="echo-dot")
    sample, kind, facts = home.events[0]
    home.events[0] = sample, kind, {**facts, "means": {"intent": "timer", "contact": "Linda", "confirm": False}}
    home.tell(136_000, "intent", clip=clip, intent="time", phrase="so i sent a message", score=0.8)
    home.tell(136_000, "contact", clip=clip, heard="so i sent a message to the office", name="Frank", score=0.8)
    home.tell(136_000, "confirmation", clip=clip, heard="so i sent a message to the office", answer="yes", score=0.8)
    (chain,) = chains(home.write(tmp_path / "run"))
    steps = [(step.meant, step.taken_for) for step in chain.steps if step.meant]
    assert steps == [
        ("a request for a timer", "a question for the time"), ("Linda", "Frank"), ("no", "“yes”"),
    ]  # fmt: skip


def test_a_device_that_wakes_on_its_own_voice_is_told_so(tmp_path: Path) -> None:
    home = Evening()
    home.prompt(300_000, "Alexis, right?")
    span = {"word_begin": 301_000, "word_end": 309_000}
    home.tell(309_760, "wake", word="alexa", model="", score=0.61, threshold=0.5, warming_up=False, **span)
    home.capture(293_000, 330_000, "wakeword", "")
    (chain,) = chains(home.write(tmp_path / "run"))
    assert chain.steps[0].said == Quote("Alexis, right?", who=("echo-dot itself",))


def test_a_message_in_the_request_itself_is_the_end_of_its_clip(tmp_path: Path) -> None:
    home, clip = woken()
    home.tell(136_000, "intent", clip=clip, intent="send_message", phrase="sent a message", score=0.8)
    home.tell(136_000, "message", clip=clip, to="Frank", text="to the office", audio_s=2.5)
    (chain,) = chains(home.write(tmp_path / "run"))
    assert (chain.steps[-1].begin, chain.steps[-1].end) == (96_000, 136_000)


def test_a_device_that_was_addressed_is_not_told_as_an_accident(tmp_path: Path) -> None:
    home, _ = woken(to="echo-dot")
    (chain,) = chains(home.write(tmp_path / "run"))
    assert chain.steps[0].text == "The device had been addressed."
    assert titles(chain) == ["Woke", "No second look", "Heard"]
    assert chain.came_of_it.replace("\N{NO-BREAK SPACE}", " ") == "6.0 s left the home"


def test_a_far_end_whose_settings_are_not_known_is_not_said_to_have_no_second_look(tmp_path: Path) -> None:
    home, _ = woken()
    (chain,) = chains(home.write(tmp_path / "run", cloud={}))
    assert titles(chain) == ["Woke", "Heard"]


def test_a_second_wake_begins_a_chain_of_its_own(tmp_path: Path) -> None:
    home, _ = woken()
    home.tell(300_800, "wake", word="alexa", model="", score=0.9, threshold=0.5, warming_up=False)
    home.capture(285_000, 340_000, "wakeword", "frank")
    first, second = chains(home.write(tmp_path / "run"))
    assert (len(first.clips), len(second.clips), second.begin) == (1, 1, 300_800)


# Who said and heard what.


def test_a_prompt_that_is_broken_off_ends_there(tmp_path: Path) -> None:
    home = Evening()
    home.tell(80_000, "prompt", text="To whom?", samples=16_000)
    home.tell(84_000, "prompt_end", heard_whole=False)
    home.tell(90_000, "prompt", text="To whom?", samples=16_000)
    first, second = prompts_of(read_run(home.write(tmp_path / "run")))
    assert (first.begin, first.end, first.whole, first.heard_by) == (80_000, 84_000, False, "")
    assert (second.begin, second.end, second.whole) == (90_000, 106_000, None)


def test_half_a_word_counts_and_lines_that_are_cut_are_marked(tmp_path: Path) -> None:
    lines = spoken(read_run(Evening().write(tmp_path / "run")))
    words = lines[0].words
    assert [word.text for word in words] == LINES[0][2].split()
    assert said_between(lines, words[2].begin - 100, words[4].end + 100) == "… to the lecture …"
    middle = (words[2].begin + words[2].end) // 2
    assert said_between(lines, middle + 2, words[4].end) == "… the lecture …"


def test_people_who_talk_at_once_are_told_one_after_the_other() -> None:
    lines = []
    for who, ahead in (("a", 0), ("b", 300)):
        words = tuple(Word(f"{who}{k}", 1_000 * k + ahead, 1_000 * k + ahead + 900) for k in range(4))
        lines.append(Spoken(who, who, words[0].begin, words[-1].end, False, words))
    assert said_at(lines, 0, 2_400) == Quote("a0 a1 … b0 b1 …", who=("a", "b"))
    assert said_at(lines[:1], 1_000, 2_000) == Quote("a1", "a0", "a2 a3", who=("a",))


@pytest.mark.parametrize(
    "words", [None, 3, [["a", 1]], [["a", 5, 4]], [[1, 2, 3]], [["a", 0, 10**30]], [["a", 1.5, 2]]]
)
def test_damaged_word_times_are_no_word_times(words: Any) -> None:
    assert words_of(words) == ()
    assert len(words_of([["a", 1, 2], ["b", 2, 3, 0.5]])) == 2


# Several devices.


def test_several_devices_are_one_page(tmp_path: Path) -> None:
    folder = oregon_run(tmp_path / "run")
    hall = Evening("hall")
    hall.tell(56_320, "wake", word="alexa", model="", score=0.58, threshold=0.5, warming_up=False)
    clip = hall.capture(40_000, 60_000, "wakeword", None)
    hall.tell(
        60_000, "arbitrated", clip=clip, device="hall", winner="echo-dot", of=[["echo-dot", -20.0], ["hall", -33.0]]
    )
    hall.write(folder / "devices" / "hall")
    page = page_of(folder)
    text = text_of(page)
    found = re.search(r'<script type="application/json" id="run-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert data["devices"] == ["echo-dot", "hall"]
    assert [lane["device"] for lane in data["lanes"] if lane["name"] == "microphone"] == ["echo-dot", "hall"]
    assert [lane["title"] for lane in data["lanes"] if lane["name"] == "said"] == ["ann", "ben"]
    assert "The 2 devices woke twice while nobody addressed them" in text
    assert "Clip 2 hall false wake" in text
    assert "Left to echo-dot." in text
    assert "The word arrived at echo-dot at −20 dB and hall at −33 dB: echo-dot answers." in text
    assert page.count('<audio class="home"') == 2
    told = (folder / "devices" / "hall" / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    elsewhere = [line for line in told if '"arbitrated"' in line]
    assert len(elsewhere) == 1
    (folder / "devices" / "hall" / "events.jsonl").write_text("".join(line for line in told if line not in elsewhere))
    with (folder / "events.jsonl").open("a", encoding="utf-8") as events:
        events.writelines(elsewhere)  # the other device was told of it
    assert text_of(page_of(folder)) == text
    (folder / "devices" / "hall" / "run.json").unlink()
    assert "The device hall is left out: its run.json is missing or damaged." in text_of(page_of(folder))

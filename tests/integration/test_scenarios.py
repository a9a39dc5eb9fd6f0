"""The scenarios that ship, each held to how it came out: the decisions as they were made, scores only loosely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from device.events import Event
from device.runtime import Observer
from sim.cloud.recognizer import load_recognizer
from sim.main import main
from sim.play.outcome import Outcome
from sim.play.setup import prepare
from sim.play.stage import Stage
from sim.scenario import load_scenario, shipped_scenarios
from sim.speech.library import load_speech
from sim.speech.manifest import read_manifest, shipped_folder
from sim.speech.rendering import lines_of, prompts_of

# pocketsphinx is there everywhere, and the same words come of the same clip on every machine
EARS = ("cloud.ears.recognizer", "pocketsphinx")


@dataclass(frozen=True)
class Played:
    """What came of a scenario: the events of each device, in order, and `Outcome.row`."""

    events: Sequence[tuple[str, Event]]
    row: dict[str, Any]

    def facts(self, kind: str, device: str | None = None) -> list[dict[str, Any]]:
        return [{**each.facts} for name, each in self.events if each.kind == kind and device in (None, name)]

    def each(self, kind: str, fact: str) -> list[Any]:
        return [facts[fact] for facts in self.facts(kind)]


def _keep(events: list[tuple[str, Event]], device: str, event: Event) -> None:
    events.append((device, event))


def play(name: str, state: Path, *overrides: tuple[str, str]) -> Played:
    setup = prepare(name, overrides=[EARS, *overrides])
    events: list[tuple[str, Event]] = []
    stage = Stage(setup, load_speech(setup.scenario))
    outcome = Outcome(stage.truth)
    watch: dict[str, list[Observer]] = {
        device: [outcome.note, partial(_keep, events, device)] for device in setup.devices
    }
    recognizer = load_recognizer("pocketsphinx", ears=setup.cloud.ears)
    stage.play(recognizer, "inprocess", state, watch)
    return Played(events, outcome.row())


def test_portland(tmp_path: Path) -> None:
    """Nobody says the wake word, nobody hears the device, and a recording of them is sent."""
    evening = play("portland", tmp_path)
    said = " ".join(evening.each("said", "text")).lower()
    assert "alexa" not in said
    assert not any(evening.each("said", "to"))
    (wake,) = evening.facts("wake")
    assert 0.6 < wake["score"] <= 1
    assert evening.each("prompt", "text") == ["To whom?", "Stephanie, right?"]
    intents = [each for each in evening.facts("intent") if each["intent"] != "none"]
    assert [each["intent"] for each in intents] == ["send_message"]
    assert "send a message to stephanie" not in said
    assert [(each["name"], each["heard"]) for each in evening.facts("contact")] == [("Stephanie", "stephanie")]
    assert evening.each("confirmation", "answer") == ["yes"]
    (message,) = evening.facts("message")
    assert message["to"] == "Stephanie"
    assert 3 < message["audio_s"] <= 10
    assert [step["step"] for step in message["because"]] == ["wake", "intent", "contact", "confirmation", "body"]
    assert evening.row["misdirected"]
    assert evening.row["heard_by"] == []
    assert "talking to us" not in said, "what they would have said, had they heard it"


def test_in_portland_somebody_would_have_heard_a_louder_device(tmp_path: Path) -> None:
    """It is heard and told to stop; while the other one still talks, that may not be what it hears."""
    louder = play("portland", tmp_path, ("acoustics.loudspeaker_db_spl", "75"))
    assert louder.row["heard_by"] == ["ben", "ann"]
    assert "talking to us" in " ".join(louder.each("said", "text"))


def test_the_television_is_taken_for_requests(tmp_path: Path) -> None:
    evening = play("tv-evening", tmp_path)
    assert len(evening.facts("wake")) == 2
    assert (evening.row["false_wakes"], evening.row["sent"]) == (2, False)
    assert ("timer", 600) in [(each["name"], each["value"]) for each in evening.facts("action")]
    assert ("ann", "Who set a timer?") in [(each["who"], each["text"]) for each in evening.facts("said")]


def test_who_is_called_alexis_is_answered_for(tmp_path: Path) -> None:
    dinner = play("a-person-called-alexis", tmp_path)
    assert dinner.row["false_wakes"] == len(dinner.facts("wake")) == 2
    assert dinner.each("action", "name")[0] == "time"
    assert dinner.each("prompt", "text")[0] == "It's 8:41 PM."
    assert "I was not talking to you." in dinner.each("said", "text")


def test_what_is_asked_for_is_done(tmp_path: Path) -> None:
    asked = play("true-commands", tmp_path)
    assert (asked.row["false_wakes"], len(asked.facts("wake"))) == (0, 4)
    done = [(each["name"], each["value"]) for each in asked.facts("action")]
    assert done[0][0] == "time"
    assert done[1:] == [("timer", 600), ("volume", 4)]
    assert asked.each("message", "to") == ["Stephanie"]
    assert "dinner is at seven" in asked.each("message", "text")[0]
    assert not asked.row["misdirected"]


def test_of_two_devices_the_one_that_hears_it_louder_answers(tmp_path: Path) -> None:
    morning = play("two-devices", tmp_path)
    heard = [(each["device"], each["winner"]) for each in morning.facts("arbitrated")]
    assert {winner for _, winner in heard} == {"shelf-dot", "table-dot"}
    timer = [name for name, event in morning.events if event.kind == "action" and event.facts["name"] == "timer"]
    time = [name for name, event in morning.events if event.kind == "action" and event.facts["name"] == "time"]
    assert (timer, time) == (["shelf-dot"], ["table-dot"])
    assert morning.row["false_wakes"] >= 1


def test_it_wakes_on_its_own_voice_and_with_a_raised_bar_it_does_not(tmp_path: Path) -> None:
    usual = play("own-prompt", tmp_path / "usual")
    assert usual.each("prompt", "text")[0] == "Alexis, right?"
    assert (usual.row["false_wakes"], usual.row["sent"]) == (1, False)
    assert usual.each("prompt_end", "heard_whole")[0] is False
    raised = play("own-prompt", tmp_path / "raised", ("wake.speaking_threshold", "0.95"))
    assert raised.row["false_wakes"] == 0
    assert raised.each("message", "to") == ["Alexis"]
    assert not raised.row["misdirected"]


def test_a_cancel_that_is_not_heard_sends_what_is_said_next(tmp_path: Path) -> None:
    evening = play("mishearing-cancel", tmp_path)
    assert "Cancel." in evening.each("said", "text")
    assert "cancel" not in " ".join(evening.each("transcript", "text"))
    assert evening.each("confirmation", "answer") == ["yes"]
    assert evening.each("message", "to") == ["Stephanie"]
    assert evening.row["misdirected"], "she had called it off"


def test_a_deletion_by_voice_leaves_the_transcripts(tmp_path: Path) -> None:
    evening = play("delete-today", tmp_path)
    assert (evening.row["false_wakes"], len(evening.facts("wake"))) == (0, 3)
    (deleted,) = evening.facts("deleted")
    assert len(deleted["clips"]) == 3
    assert deleted["what"] == ["audio"]
    assert "transcript" in " ".join(deleted["kept"])


def test_two_runs_of_portland_leave_the_same_bytes(tmp_path: Path) -> None:
    for name in ("once", "again"):
        assert main(["sim", "portland", "--recognizer", "pocketsphinx", "--out", str(tmp_path / name)]) == 0
    files = {path.relative_to(tmp_path / "once") for path in (tmp_path / "once").rglob("*") if path.is_file()}
    assert files == {path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*") if path.is_file()}
    assert [
        path for path in sorted(files) if _bytes(tmp_path / "once" / path) != _bytes(tmp_path / "again" / path)
    ] == []
    assert Path("report.html") in files


def _bytes(path: Path) -> bytes:
    return path.read_bytes()


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_all_that_is_said_in_it_ships(name: str) -> None:
    scenario = load_scenario(name)
    shipped = read_manifest(shipped_folder())
    assert [key for key in (*lines_of(scenario), *prompts_of(scenario)) if key not in shipped] == []


def test_the_speech_that_ships_is_small() -> None:
    assert sum(path.stat().st_size for path in shipped_folder().iterdir()) < 6_000_000

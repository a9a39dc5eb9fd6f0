"""What heard words are taken for under each profile, as PocketSphinx hears them: rightly and wrongly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.cloud.turn import Situation
from tests.dialog_kit import WORD, dialog, facts, woken

PROFILES = ("2018", "2019", "strict")

# heard after the wake word: what it is taken for under 2018, 2019 and strict.
REQUESTS = [
    ("what time is it", "time", "time", "time"),
    ("what time as it", "time", "time", "time"),
    ("so what time is it then", "time", "time", "none"),
    ("set a timer for five minutes", "timer", "timer", "timer"),
    ("set a timer for twenty five minutes please", "timer", "timer", "timer"),
    ("said a time or for five minutes", "timer", "timer", "timer"),
    ("set the volume to seven", "volume", "volume", "volume"),
    ("turn it up", "volume", "volume", "volume"),
    ("send a message", "send_message", "send_message", "send_message"),
    ("send message", "send_message", "send_message", "send_message"),
    ("about humidity so i sent a message to him", "send_message", "send_message", "none"),
    ("send a massage", "send_message", "send_message", "none"),
    ("he said the messenger was late", "send_message", "none", "none"),
    ("stop", "stop", "stop", "stop"),
    ("the top of it", "none", "none", "none"),
    ("cancel", "cancel", "cancel", "cancel"),
    ("can sell", "cancel", "cancel", "none"),
    ("console", "none", "none", "none"),
    ("never mind", "cancel", "cancel", "cancel"),
    ("delete what i just said", "none", "delete_last", "delete_last"),
    ("delete everything i said today", "none", "delete_today", "delete_today"),
    ("erase all i have said today", "none", "delete_today", "delete_today"),
    ("the floors have to settle for a week", "none", "none", "none"),
    ("we went with the oak in the end", "none", "none", "none"),
    ("", "none", "none", "none"),
]


@pytest.mark.parametrize("place", range(3), ids=PROFILES)
@pytest.mark.parametrize("row", REQUESTS, ids=lambda row: row[0] or "nothing")
def test_requests(row: tuple[str, str, str, str], place: int) -> None:
    turn = dialog(PROFILES[place]).take(Situation(), woken(f"alexa {row[0]}"))
    (intent,) = facts(turn, "intent")
    assert intent["intent"] == row[place + 1]
    assert (intent["phrase"] != "") == (intent["intent"] != "none")


def test_the_fact_names_the_words_that_were_taken_for_it() -> None:
    turn = dialog("2018").take(Situation(), woken("election so i sent a message then"))
    (intent,) = facts(turn, "intent")
    score, needed = intent.pop("score"), intent.pop("needed")
    assert intent == {
        "clip": "dot-0",
        "intent": "send_message",
        "phrase": "sent a message",
        "template": "send [a|the] (message|text)",
        "slots": {},
    }
    assert isinstance(score, float)
    assert 0.9 < score < 1
    assert needed == 0.7


def test_words_that_woke_the_device_are_no_request() -> None:
    assert facts(dialog("2018").take(Situation(), woken("stop it now", woke=1)), "intent")[0]["intent"] == "none"
    assert facts(dialog("2018").take(Situation(), woken("stop it now", woke=0)), "intent")[0]["intent"] == "stop"


def test_a_word_across_the_end_of_the_wake_word_belongs_to_it() -> None:
    """PocketSphinx hears "alex and" in "Alexa", and the detector's end is early: the second word counts or does not."""
    for end in (WORD + 1, WORD, WORD - 2_000):
        heard = replace(woken("alex and tell linda that it is late"), word_end=end)
        turn = dialog("strict").take(Situation(), heard)
        assert facts(turn, "intent")[0]["intent"] == "send_message"
        assert turn.situation.body is not None
        assert turn.situation.body.begin == 5 * WORD
    much_earlier = replace(woken("alex and send a message"), word_end=WORD - 2_500)
    assert facts(dialog("strict").take(Situation(), much_earlier), "intent")[0]["intent"] == "none"
    at_once = replace(woken("alexa stop"), word_end=WORD - 700)
    assert facts(dialog("strict").take(Situation(), at_once), "intent")[0]["intent"] == "stop"


def test_slots_hold_what_was_meant() -> None:
    for text, slots in (
        ("set a timer for twenty five minutes", {"minutes": 25}),
        ("start a timer for ninety seconds", {"seconds": 90}),
        ("set timer for one hour", {"hours": 1}),
        ("volume ten", {"level": 10}),
        ("turn down the volume", {"step": -1}),
    ):
        (intent,) = facts(dialog("strict").take(Situation(), woken(f"alexa {text}")), "intent")
        assert intent["slots"] == slots, text


def test_alternatives_count_where_the_transcript_has_nothing() -> None:
    heard = woken("alexa want I miss it", "alexa what time is it")
    assert facts(dialog("2018").take(Situation(), heard), "intent")[0]["intent"] == "time"
    assert facts(dialog("strict").take(Situation(), heard), "intent")[0]["intent"] == "time"


def test_strict_does_not_guess_where_the_request_begins_in_an_alternative() -> None:
    heard = woken("a lecture want I miss it", "what time is it")
    assert facts(dialog("strict").take(Situation(), heard), "intent")[0]["intent"] == "none"


def test_spelling_alone_or_sound_alone() -> None:
    heard = woken("alexa can sell")
    by_sound = dialog("2018", ("dialog.sound_share", "1"), ("dialog.intent_score", "0.9"))
    by_spelling = dialog("2018", ("dialog.sound_share", "0"), ("dialog.intent_score", "0.9"))
    assert facts(by_sound.take(Situation(), heard), "intent")[0]["intent"] == "cancel"
    assert facts(by_spelling.take(Situation(), heard), "intent")[0]["intent"] == "none"


def test_where_nothing_fits_the_nearest_is_told() -> None:
    (intent,) = facts(dialog("strict").take(Situation(), woken("alexa can sell")), "intent")
    assert (intent["intent"], intent["phrase"], intent["score"]) == ("none", "", 0.0)
    assert intent["nearest"] == {"intent": "cancel", "phrase": "can sell", "score": 0.8766, "needed": 0.925}
    (nothing,) = facts(dialog("strict").take(Situation(), woken("alexa")), "intent")
    assert "nearest" not in nothing

"""The way of a message, step by step, and what is done at once."""

from __future__ import annotations

import pytest

from sim.cloud.contacts import Contact
from sim.cloud.turn import REACHES, Situation, Turn
from tests.dialog_kit import CONTACTS, WORD, dialog, facts, play, reply, woken

OREGON = (
    "election so i sent a message about it",
    "well frank had his floors done",
    "right he went with the oak",
    "and the glue has to be flexible you know",
)


def why(turn: Turn) -> object:
    (ended,) = facts(turn, "dialog_ended")
    return ended["why"]


def test_the_oregon_message() -> None:
    """One wake, three interpretations, two spoken prompts, as in the account of May 2018."""
    wake, name, confirmation, body = play(dialog("2018"), OREGON)
    assert (wake.says, wake.expect_ms) == ("To whom?", 8000)
    assert (name.says, name.expect_ms) == ("Frank, right?", 8000)
    assert (confirmation.says, confirmation.expect_ms) == ("", 8000)
    assert (body.says, body.expect_ms) == ("", None)
    assert facts(confirmation, "confirmation") == [{"clip": "dot-2", "heard": "right", "answer": "yes", "score": 1.0}]
    assert body.message is not None
    assert body.message.to == "Frank"
    assert facts(body, "message") == [
        {
            "clip": "dot-3",
            "id": "dot-3-message",
            "to": "Frank",
            "text": OREGON[3],
            "audio_s": 9 * WORD / 16_000,
            "because": [
                {"step": "wake", "clip": "dot-0", "heard": "election", "taken_for": "alexa"},
                {"step": "intent", "clip": "dot-0", "heard": "sent a message", "taken_for": "send_message"},
                {"step": "contact", "clip": "dot-1", "heard": "frank", "taken_for": "Frank"},
                {"step": "confirmation", "clip": "dot-2", "heard": "right", "taken_for": "yes"},
                {"step": "body", "clip": "dot-3", "heard": OREGON[3], "taken_for": "the message"},
            ],
        }
    ]
    assert why(body) == "sent"
    assert body.situation == Situation()


def test_the_same_evening_under_the_strict_profile() -> None:
    (first, *_) = play(dialog("strict"), OREGON)
    assert facts(first, "intent")[0]["intent"] == "none"
    assert first.expect_ms is None


@pytest.mark.parametrize("profile", ["2018", "2019", "strict"])
def test_a_message_that_was_meant(profile: str) -> None:
    turns = play(dialog(profile), ["alexa send a message to linda", "yes", "i am late"])
    assert turns[0].says == "Linda, right?"
    assert turns[-1].message is not None
    assert (turns[-1].message.to, turns[-1].message.body.text) == ("Linda", "i am late")
    assert turns[1].says == ("What's the message?" if profile == "strict" else "")
    assert turns[-1].says == ("" if profile == "2018" else "Message sent to Linda.")


def test_a_message_in_the_request_is_the_sound_of_its_words() -> None:
    _, sent = play(dialog("2018"), ["alexa tell linda that i am late", "right"])
    assert sent.message is not None
    assert (sent.message.body.clip, sent.message.body.text) == ("dot-0", "i am late")
    assert (sent.message.body.begin, sent.message.body.end) == (4 * WORD, 7 * WORD)


def test_without_a_confirmation_a_name_is_enough() -> None:
    wake, name, body = play(dialog("2018", ("dialog.confirm", "none")), ["alexa send a message", "frank", "hello"])
    assert (wake.says, name.says) == ("To whom?", "")
    assert body.message is not None


@pytest.mark.parametrize("word", ["cancel", "stop", "never mind", "oh can sell that"])
@pytest.mark.parametrize("step", [1, 2])
def test_cancel_and_stop_end_it_at_any_step(word: str, step: int) -> None:
    *_, last = play(dialog("2018"), [*["alexa send a message", "frank", "right"][:step], word])
    assert why(last) == "cancelled"
    assert (last.says, last.expect_ms, last.message) == ("Okay.", None, None)


def test_a_message_that_holds_the_word_cancel_is_sent_and_a_cancel_alone_is_none() -> None:
    start = ["alexa send a message", "frank", "right"]
    *_, sent = play(dialog("2018"), [*start, "please cancel the order for the oak"])
    assert sent.message is not None
    *_, cancelled = play(dialog("2018"), [*start, "cancel please"])
    assert cancelled.message is None
    assert why(cancelled) == "cancelled"


def test_it_asks_again_as_often_as_the_profile_says() -> None:
    turns = play(dialog("2018"), ["alexa send a message", "the oak", "and the glue"])
    assert [turn.says for turn in turns] == ["To whom?", "Sorry, to whom?", "Okay, nothing was sent."]
    assert facts(turns[1], "contact")[0]["name"] is None
    assert why(turns[-1]) == "no contact"
    never = play(dialog("2018", ("dialog.reprompts", "0")), ["alexa send a message", "the oak"])
    assert why(never[-1]) == "no contact"


def test_each_question_has_its_own_reprompts() -> None:
    turns = play(dialog("2018"), ["alexa send a message", "oak", "frank", "oak", "right", "hello"])
    assert turns[-1].message is not None


def test_an_unclear_or_a_negative_answer_sends_nothing() -> None:
    start = ["alexa send a message", "frank"]
    unclear = play(dialog("2018"), [*start, "the oak", "and the glue"])
    assert [facts(turn, "confirmation")[0]["answer"] for turn in unclear[2:]] == ["unclear", "unclear"]
    assert why(unclear[-1]) == "not confirmed"
    *_, no = play(dialog("2018"), [*start, "no"])
    assert facts(no, "confirmation")[0]["answer"] == "no"
    assert (why(no), no.message) == ("not confirmed", None)


def test_strict_wants_a_yes_and_no_more() -> None:
    start = ["alexa send a message to frank"]
    buried = play(dialog("strict"), [*start, "right he went with the oak", "yes"])
    assert facts(buried[1], "confirmation")[0]["answer"] == "unclear"
    assert facts(buried[2], "confirmation")[0]["answer"] == "yes"


def test_two_of_one_name_are_asked_back() -> None:
    turns = play(dialog("2018"), ["alexa send a message to anna", "jones", "right", "hello"])
    assert [turn.says for turn in turns] == ["Which Anna? Miller, or Jones?", "Anna Jones, right?", "", ""]
    assert turns[-1].message is not None
    assert turns[-1].message.to == "Anna (Jones)"
    neither = play(dialog("2018"), ["alexa send a message to anna", "oak", "oak"])
    assert why(neither[-1]) == "no contact"


def test_strict_refuses_two_of_one_name() -> None:
    (turn,) = play(dialog("strict"), ["alexa send a message to anna"])
    assert turn.says == "There are several people called Anna. Nothing was sent."
    assert why(turn) == "several of that name"


def test_without_communications_it_says_that_it_cannot() -> None:
    (turn,) = play(dialog("off"), ["alexa send a message to frank"])
    assert facts(turn, "blocked") == [{"clip": "dot-0", "what": "send_message", "why": "communications are off"}]
    assert (turn.says, turn.expect_ms) == ("Sorry, I can't send messages.", None)


def test_without_contacts_there_is_nobody_to_ask_for() -> None:
    talk = dialog("2018", contacts=())
    (turn,) = play(talk, ["alexa send a message"])
    assert (turn.says, why(turn)) == ("You have no contacts.", "no contacts")


def test_no_reply_ends_it_and_the_next_wake_word_begins_anew() -> None:
    talk = dialog("2018")
    asked = talk.take(Situation(), woken("alexa send a message"))
    anew = talk.take(asked.situation, woken("alexa what time is it", clip="dot-9"))
    assert facts(anew, "dialog_ended") == [{"clip": "dot-0", "why": "no reply"}]
    assert facts(anew, "action")[0]["name"] == "time"
    assert talk.ended(asked.situation, "no reply").situation == Situation()
    assert talk.ended(Situation(), "no reply").facts == ()


@pytest.mark.parametrize("answers", ["dot-7", "dot-0"])
def test_a_reply_to_no_open_question_is_taken_for_nothing(answers: str) -> None:
    talk = dialog("2018")
    idle = talk.take(Situation(), reply("send a message to frank", answers))
    assert facts(idle, "intent")[0]["intent"] == "none"
    assert (idle.says, idle.expect_ms, idle.situation) == ("", None, Situation())
    asked = talk.take(Situation(), woken("alexa send a message", clip="dot-5")).situation
    late = talk.take(asked, reply("frank", answers))
    assert late.situation == asked
    assert late.expect_ms is None


def test_a_contact_that_is_gone_ends_it() -> None:
    asked = play(dialog("2018"), ["alexa send a message to frank"])[-1].situation
    others = dialog("2018", contacts=(Contact("Linda"),))
    turn = others.take(asked, reply("right", "dot-0"))
    assert why(turn) == "the contact is gone"


def test_a_reply_without_words() -> None:
    talk = dialog("2018")
    start = play(talk, ["alexa send a message", "frank", "right"])[-1].situation
    sound = talk.take(start, reply("", "dot-2", samples=16_000))
    assert sound.message is not None
    assert sound.message.audio_s == 1.0
    nothing = talk.take(start, reply("", "dot-2", samples=0))
    assert nothing.message is None
    strict = dialog("strict")
    asked = play(strict, ["alexa send a message to frank", "yes"])[-1].situation
    assert strict.take(asked, reply("", "dot-1", samples=16_000)).says == "Sorry, what's the message?"


@pytest.mark.parametrize(
    ("text", "name", "value", "says"),
    [
        ("what time is it", "time", "2018-05-24T18:42:07-07:00", "It's 6:42 PM."),
        ("set a timer for five minutes", "timer", 300, "Timer set."),
        ("set a timer for two hours", "timer", 7200, "Timer set."),
        ("volume three", "volume", 3, "Volume 3."),
        ("turn it up", "volume", 6, "Volume 6."),
        ("stop", "stop", None, ""),
        ("cancel", "cancel", None, ""),
    ],
)
def test_what_is_done_at_once(text: str, name: str, value: object, says: str) -> None:
    (turn,) = play(dialog("2018"), [f"alexa {text}"])
    assert facts(turn, "action") == [{"clip": "dot-0", "name": name, "value": value}]
    assert (turn.says, turn.expect_ms) == (says, None)


def test_the_volume_stays_and_has_ends() -> None:
    turns = play(dialog("2018"), ["alexa volume nine", "alexa turn it up", "alexa turn it up"])
    assert [turn.situation.volume for turn in turns] == [9, 10, 10]
    assert play(dialog("2018"), ["alexa volume nine", *OREGON])[-1].situation.volume == 9


def test_deletion_by_voice_is_handed_on_with_what_the_profile_reaches() -> None:
    (turn,) = play(dialog("2019"), ["alexa delete everything i said today"])
    assert turn.deletion is not None
    assert (turn.deletion.scope, turn.deletion.reaches) == ("today", ("audio",))
    assert turn.says == "I deleted what you said today."
    (last,) = play(dialog("strict"), ["alexa delete what i just said"])
    assert last.deletion is not None
    assert (last.deletion.scope, last.deletion.reaches) == ("last", REACHES)


def test_words_that_fit_nothing_are_owned_up_to_and_silence_is_not() -> None:
    nothing, silence = play(dialog("2018"), ["alexa the oak floors", "alexa"])
    assert nothing.says == "Sorry, I didn't understand that."
    assert silence.says == ""


def test_the_same_clip_makes_the_same_turn() -> None:
    assert play(dialog("2018"), OREGON) == play(dialog("2018", contacts=CONTACTS), OREGON)

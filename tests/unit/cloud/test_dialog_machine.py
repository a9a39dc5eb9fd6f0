"""A dialog led at random: it always ends, and no message goes without each step that its profile asks for."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from sim.cloud.dialog import Dialog
from sim.cloud.settings import load_cloud
from sim.cloud.turn import Situation, Turn
from tests.dialog_kit import dialog, facts, names, reply, woken

SAID = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                "send a message",
                "send a message to frank",
                "tell linda that it is late",
                "so i sent a message then",
            ),
            *("frank", "well frank had his floors", "anna", "jones", "wyatt please", "right", "right he went", "yes"),
            *("no", "cancel", "can sell", "stop", "console", "the glue has to be flexible", "what time is it"),
            *("volume three", "delete everything i said today", "delete what i just said"),
        ]
    ),
    st.lists(st.sampled_from(["right", "frank", "message", "send", "a", "no", "the", "oak", "anna"]), max_size=6).map(
        " ".join
    ),
)
OVERRIDES = (
    ("2018", ()),
    ("2019", ()),
    ("strict", ()),
    ("off", ()),
    ("2018", (("dialog.confirm", "none"), ("dialog.reprompts", "0"))),
    ("strict", (("dialog.same_name", "ask"), ("dialog.reprompts", "3"))),
)


class Led(RuleBasedStateMachine):
    """One device: clips with a wake word, replies, late replies, and none."""

    profile = "2018"
    overrides: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.talk: Dialog = dialog(self.profile, *self.overrides)
        self.settings = load_cloud(self.profile, self.overrides).dialog
        self.situation = Situation()
        self.clips = 0
        self.open = False
        self.asked = 0
        self.steps: list[str] = []

    @rule(said=SAID)
    def wake(self, said: str) -> None:
        self.asked, self.steps = 0, []
        self._take(self.talk.take(self.situation, woken(f"alexa {said}", clip=self._clip())))

    @precondition(lambda self: self.open)
    @rule(said=SAID)
    def reply(self, said: str) -> None:
        answers = self.situation.clip
        self.asked += 1
        self._take(self.talk.take(self.situation, reply(said, answers, clip=self._clip(), samples=8_000)))

    @rule(said=SAID)
    def late(self, said: str) -> None:
        turn = self.talk.take(self.situation, reply(said, "dot-long-ago", clip=self._clip()))
        assert turn.situation == self.situation
        assert (turn.says, turn.expect_ms, turn.message, turn.deletion) == ("", None, None, None)

    @precondition(lambda self: self.open)
    @rule()
    def silence(self) -> None:
        turn = self.talk.ended(self.situation, "no reply")
        assert [fact.kind for fact in turn.facts] == ["dialog_ended"]
        self.situation, self.open = turn.situation, False

    @invariant()
    def it_waits_exactly_while_a_question_is_open(self) -> None:
        assert self.open == (self.situation.step != "idle")
        if not self.open:
            assert self.situation == Situation(volume=self.situation.volume)

    @invariant()
    def it_ends(self) -> None:
        """Each of the four questions is asked once, and again as often as the profile says."""
        assert self.asked <= 4 * (1 + self.settings.reprompts)

    def _clip(self) -> str:
        self.clips += 1
        return f"dot-{self.clips}"

    def _take(self, turn: Turn) -> None:
        # It lives in a database between two clips.
        self.situation = Situation.model_validate_json(turn.situation.model_dump_json())
        self.open = turn.expect_ms is not None
        for kind, step in (("intent", "intent"), ("contact", "contact"), ("confirmation", "confirmation")):
            for fact in facts(turn, kind):
                if fact.get("intent") == "send_message" or fact.get("name") or fact.get("answer") == "yes":
                    self.steps.append(step)
        assert (turn.message is not None) == (len(facts(turn, "message")) == 1)
        if turn.message is not None:
            wanted = ["intent", "contact", *([] if self.settings.confirm == "none" else ["confirmation"])]
            assert self.settings.communications
            assert self.steps == wanted
            assert [took.step for took in turn.message.because if took.step not in ("wake", "body")] == wanted
            assert turn.message.to in {names().label(key) for key in names()}
            assert turn.message.audio_s > 0
            assert not self.open
        if not self.settings.communications:
            assert not facts(turn, "contact")


@pytest.mark.parametrize(("profile", "overrides"), OVERRIDES, ids=lambda each: str(each))
def test_every_dialog_ends_and_no_message_goes_without_its_steps(
    profile: str, overrides: tuple[tuple[str, str], ...]
) -> None:
    led: type[Led] = type("Led", (Led,), {"profile": profile, "overrides": overrides})
    run_state_machine_as_test(led, settings=settings(max_examples=15, stateful_step_count=15, deadline=None))

"""The firmware: real models on real sound, and the turns of a conversation between hand-written fakes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio import Block
from device.events import Event
from device.firmware import Firmware
from device.states import State
from tests.firmware_kit import (
    STREAM,
    FakeScorers,
    FakeVoice,
    Scene,
    clip_of,
    fake_firmware,
    hear,
    hear_split,
    kinds,
    kitchen_part,
    number,
    plain,
    real_firmware,
    settings_of,
    sound_of,
    told,
)
from uplink.message import Directive
from wakeword.frames import HOP
from wakeword.openwakeword_engine import OpenWakeWord
from wakeword.sound import level_dbfs
from wakeword.span import word_span
from wakeword.vad import VoiceActivity

SECOND = 16_000


def states(events: list[Event]) -> list[str]:
    return [f"{event.facts['from']} {event.facts['cause']} {event.facts['to']}" for event in kinds(events, "state")]


@pytest.fixture(scope="module")
def whole() -> list[Event]:
    """What the kitchen comes to, heard in one way of cutting it."""
    firmware = real_firmware()
    return hear_split(firmware, kitchen_part(), [1000]) + firmware.finish()


class TestRealSound:
    """The kitchen, in which nobody speaks to the device."""

    def test_it_wakes_and_sends_what_was_said(self) -> None:
        firmware, sound = real_firmware(), kitchen_part()
        events = hear(firmware, sound) + firmware.finish()
        (wake,) = kinds(events, "wake")
        (end,) = kinds(events, "capture_end")
        assert wake.facts["threshold"] == 0.5
        assert 0.5 < float(str(wake.facts["score"])) < 1
        assert end.facts["reason"] == "silence"
        begin, word = number(end, "begin"), word_span("alexa", wake.sample)
        assert (number(wake, "word_begin"), number(wake, "word_end")) == word
        assert wake.facts["voice_dbfs"] == level_dbfs(sound[slice(*word)])
        assert wake.facts["ambient_dbfs"] == level_dbfs(sound[word[0] - SECOND // 2 : word[0]])
        assert begin == word[0] - SECOND // 2
        np.testing.assert_array_equal(clip_of(events, str(end.facts["clip"])), sound[begin : number(end, "end")])
        assert len(kinds(events, "hop")) == len(sound) // HOP

    @pytest.mark.parametrize("sizes", [[HOP], [4096], [441, 0, 1, 3000], [100 * SECOND]], ids=str)
    def test_the_size_of_blocks_makes_no_difference(self, sizes: list[int], whole: list[Event]) -> None:
        firmware = real_firmware()
        assert told(hear_split(firmware, kitchen_part(), sizes) + firmware.finish()) == told(whole)

    def test_a_short_gap_in_a_capture_is_filled_with_zeros(self) -> None:
        firmware, sound = real_firmware(), kitchen_part()
        gap = slice(75 * HOP + 100, 75 * HOP + 100 + SECOND // 2)  # in the capture, in the middle of a hop
        events = firmware.hear(Block(0, sound[: gap.start]))
        events += firmware.hear(Block(gap.stop, sound[gap.stop :], SECOND // 2, "late"))
        (lost,) = kinds(events, "audio_lost")
        assert lost.sample == gap.start
        assert lost.facts == {"samples": SECOND // 2, "end": gap.stop, "why": "late"}
        (end,) = kinds(events, "capture_end")
        filled = sound.copy()
        filled[gap] = 0
        np.testing.assert_array_equal(
            clip_of(events, str(end.facts["clip"])), filled[number(end, "begin") : end.sample]
        )
        assert gap.stop < end.sample

    def test_a_long_gap_ends_the_capture_and_listening_begins_anew(self) -> None:
        firmware, sound = real_firmware(), kitchen_part()
        first = firmware.hear(Block(0, sound[: 75 * HOP]))
        again = 75 * HOP + 20 * HOP  # over gap_fill_ms
        second = firmware.hear(Block(again, sound, 20 * HOP, "overrun"))
        (end,) = [event for event in kinds(second, "capture_end") if event.facts["reason"] == "audio_lost"]
        assert end.sample == 75 * HOP
        (wake,) = kinds(first, "wake")
        np.testing.assert_array_equal(
            clip_of(first + second, str(end.facts["clip"])),
            sound[number(end, "begin") : 75 * HOP],
        )
        (once_more,) = kinds(second, "wake")
        assert once_more.sample == again + wake.sample
        indices = {name: again + number(wake, name) for name in ("word_begin", "word_end")}
        assert once_more.facts == {**wake.facts, **indices}
        hops = kinds(second, "hop")
        assert hops[0].sample == again + HOP, "what lies before the gap is not scored together with what follows"

    def test_two_gaps_in_a_hop_and_one_at_its_edge_leave_the_clock_right(self) -> None:
        firmware, clock = fake_firmware(), 0
        events: list[Event] = []
        for heard, lost in ((100, 50), (100, 30), (1000, 5 * HOP), (0, 1), (7, 40 * HOP), (HOP, 0)):
            events += hear(firmware, plain(clock, heard))
            clock += heard + lost
            events += firmware.hear(Block(clock, plain(clock, 0)))
            assert firmware.clock == clock
        assert sum(number(event, "samples") for event in kinds(events, "audio_lost")) == 81 + 45 * HOP
        with pytest.raises(ValueError, match="before the clock"):
            firmware.hear(Block(clock - 1, plain(0, 5)))


class TestMute:
    """No sample is kept."""

    def test_what_was_heard_is_wiped(self) -> None:
        firmware, sound = real_firmware(), kitchen_part()
        events = hear(firmware, sound[: 60 * HOP])
        assert kinds(events, "capture_begin")
        ring = firmware._ear.ring
        assert ring._samples.any()
        events = firmware.obey(Directive("SetMute", None, {"muted": True}))
        assert [event.facts["reason"] for event in kinds(events, "capture_end")] == ["muted"]
        assert not ring._samples.any()
        assert ring.head == ring.tail == firmware.clock
        assert not hear(firmware, sound[60 * HOP :])
        assert not ring._samples.any()
        scorers, voice = firmware._ear.scorers, firmware._voice
        assert isinstance(scorers, OpenWakeWord)
        assert isinstance(voice, VoiceActivity)
        np.testing.assert_array_equal(scorers.push(sound[: 30 * HOP]), scorers.score(sound[: 30 * HOP]))
        np.testing.assert_array_equal(voice.push(sound[: 5 * HOP]), VoiceActivity().push(sound[: 5 * HOP]))

    def test_a_clip_after_it_begins_after_it(self) -> None:
        firmware, sound = real_firmware(), kitchen_part()
        (wake,) = kinds(hear(real_firmware(), sound), "wake")
        unmuted = wake.sample - 5 * HOP - 600  # in the word
        firmware.obey(Directive("SetMute", None, {"muted": True}))
        events = hear(firmware, sound[:unmuted]) + firmware.obey(Directive("SetMute", None, {"muted": False}))
        events += hear(firmware, sound_of(unmuted, 600))  # to the next hop
        firmware._ear.scorers.push(sound[: unmuted + 600])  # the model alone must have heard the word's beginning
        events += hear(firmware, sound[unmuted + 600 :])
        (begin,) = kinds(events, "capture_begin")
        assert number(begin, "begin") == unmuted
        assert "word_begin" not in kinds(events, "wake")[0].facts, "without its pre-roll a word has no indices"
        assert kinds(events, "hop")[0].sample >= unmuted + HOP

    def test_muting_in_the_middle_of_a_hop_leaves_that_hop_unscored(self) -> None:
        scene = Scene()
        hear(scene.firmware, sound_of(0, HOP // 2, alexa=0.9))
        scene.order("SetMute", muted=True)
        scene.order("SetMute", muted=False)
        assert not hear(scene.firmware, sound_of(HOP // 2, HOP // 2, alexa=0.9))
        assert len(kinds(scene.hear(1), "hop")) == 1

    def test_a_prompt_plays_on_and_no_microphone_opens(self) -> None:
        scene = Scene()
        clip = scene.turn()
        scene.say(clip, "To whom?", 5)
        scene.order("ExpectSpeech", clip, timeout_ms=4000)
        scene.order("SetMute", muted=True)
        assert scene.state is State.SPEAKING
        assert kinds(scene.hear(6), "state")[0].facts["to"] == "IDLE"
        (refused,) = scene.order("ExpectSpeech", None, timeout_ms=4000)
        assert "muted" in str(refused.facts["why"])

    def test_heartbeats_go_on(self) -> None:
        scene = Scene(settings_of(deadlines={"heartbeat_ms": 1000}))
        scene.order("SetMute", muted=True)
        assert len(kinds(scene.hear(125), "heartbeat")) == 9  # 10 s in whole hops: one each 1.04 s


class TestTurns:
    """What the far end asks for, in the order of a conversation."""

    def test_a_turn_ends_when_the_far_end_says_so(self) -> None:
        scene = Scene()
        clip = scene.turn()
        assert states(scene.order("TurnEnd", clip)) == ["BUSY done IDLE"]
        (late,) = scene.order("Speak", clip, text="late")
        assert (late.kind, late.facts["why"]) == ("directive_refused", "it answers another turn")

    def test_without_an_answer_thinking_ends(self) -> None:
        scene = Scene(settings_of(deadlines={"thinking_ms": 2000}))
        clip = scene.turn()
        busy = kinds(scene.events, "state")[-1].sample
        (timed_out,) = kinds(scene.hear(30), "thinking_timed_out")
        assert timed_out.facts["clip"] == clip
        assert timed_out.sample == busy + 25 * HOP  # 2 s
        assert scene.state is State.IDLE

    def test_stop_capture_sends_what_there_is(self) -> None:
        scene = Scene()
        clip = scene.wake()
        scene.hear(3, speech=1.0)
        (end,) = kinds(scene.order("StopCapture", clip), "capture_end")
        assert end.facts["reason"] == "stop_capture"
        assert scene.state is State.BUSY
        np.testing.assert_array_equal(
            clip_of(scene.events, clip), scene.sound[number(end, "begin") : number(end, "end")]
        )

    def test_expect_speech_opens_the_microphone_without_a_wake_word(self) -> None:
        scene = Scene()
        clip = scene.turn()
        scene.hear(1, speech=1.0)  # said before the opening: not part of the answer
        opened = scene.firmware.clock
        assert states(scene.order("ExpectSpeech", clip, timeout_ms=4000)) == ["BUSY expect EXPECTING_SPEECH"]
        assert kinds(scene.hear(2), "state") == []
        (begin,) = kinds(scene.hear(1, speech=1.0), "capture_begin")
        assert (number(begin, "begin"), begin.facts["initiator"]) == (opened, "expect_speech")
        scene.hear(10, speech=1.0)
        scene.hear(10)
        first = next(e for e in kinds(scene.events, "part") if e.facts["clip"] == begin.facts["clip"])
        assert first.facts["facts"] == {
            "stream": STREAM.name,
            "utc": "2026-01-01T00:00:00.000000Z",
            "initiator": "expect_speech",
            "answers": clip,
        }
        assert not kinds(scene.events[-60:], "wake")

    def test_its_clip_has_its_pre_roll_where_somebody_speaks_later(self) -> None:
        scene = Scene()
        scene.order("ExpectSpeech", scene.turn(), timeout_ms=4000)
        scene.hear(20)
        spoke = scene.firmware.clock
        (begin,) = kinds(scene.hear(1, speech=1.0), "capture_begin")
        assert number(begin, "begin") == spoke - SECOND // 2

    def test_speech_that_began_before_the_opening_does_not_count(self) -> None:
        scene = Scene()
        clip = scene.turn()
        clock = scene.firmware.clock
        hear(scene.firmware, sound_of(clock, HOP // 2, speech=1.0))
        scene.order("ExpectSpeech", clip)
        assert not kinds(hear(scene.firmware, sound_of(clock + HOP // 2, HOP // 2)), "capture_begin")
        assert scene.state is State.EXPECTING_SPEECH

    def test_nobody_answers(self) -> None:
        scene = Scene()
        clip = scene.turn()
        scene.order("ExpectSpeech", clip, timeout_ms=1600)
        (timed_out,) = kinds(scene.hear(30), "expect_timed_out")
        assert timed_out.facts["clip"] == clip
        assert timed_out.sample == scene.firmware.clock - 10 * HOP  # 1.6 s are 20 hops
        assert scene.state is State.IDLE

    def test_the_microphone_opens_when_the_prompt_has_ended(self) -> None:
        scene = Scene()
        clip = scene.turn()
        spoke = scene.firmware.clock
        (prompt,) = kinds(scene.say(clip, "To whom?", 10), "prompt")
        assert (prompt.facts["text"], number(prompt, "samples")) == ("To whom?", 10 * HOP)
        scene.order("ExpectSpeech", clip, timeout_ms=4000)
        assert scene.state is State.SPEAKING
        events = scene.hear(9, speech=1.0)  # over the prompt: heard, and not an answer
        assert not kinds(events, "state")
        events = scene.hear(1, speech=1.0)
        assert states(events) == ["SPEAKING expect EXPECTING_SPEECH"]
        assert kinds(events, "prompt_end")[0].facts == {"heard_whole": True}
        (begin,) = kinds(scene.hear(3, speech=1.0), "capture_begin")
        assert number(begin, "begin") == spoke + 10 * HOP

    def test_a_wake_word_ends_a_prompt_and_what_was_asked_for_after_it(self) -> None:
        scene = Scene()
        clip = scene.turn()
        scene.hear(30)  # the refractory time
        scene.say(None, "To whom?", 50)
        scene.order("ExpectSpeech", None, timeout_ms=4000)
        events = scene.hear(1, alexa=0.9)
        assert states(events) == ["SPEAKING wake RECOGNIZING"]
        assert kinds(events, "prompt_end")[0].facts == {"heard_whole": False}
        scene.hear(10, speech=1.0)
        scene.hear(10)
        assert scene.state is State.BUSY
        new = str(kinds(scene.events, "capture_begin")[-1].facts["clip"])
        assert new != clip
        scene.say(new, "Sent.", 2)
        assert states(scene.hear(3)) == ["SPEAKING spoken IDLE"], "nobody asked for speech in this turn"

    def test_while_it_speaks_itself_the_bar_is_raised(self) -> None:
        scene = Scene(settings_of(wake={"speaking_threshold": 0.8}))
        scene.say(scene.turn(), "Alexis, right?", 20)
        scene.hear(5, alexa=0.7)
        assert scene.state is State.SPEAKING
        scene.hear(18)
        assert scene.state is not State.SPEAKING
        assert not kinds(scene.hear(1, alexa=0.7), "wake"), "the detector still hears the last of the prompt"
        scene.hear(35)
        for miss in kinds(scene.events, "near_miss"):
            assert float(str(miss.facts["score"])) == pytest.approx(0.7)
            assert miss.facts["threshold"] == 0.8
        assert len(kinds(scene.events, "near_miss")) == 2
        scene.order("TurnEnd")
        (wake,) = kinds(scene.hear(1, alexa=0.7), "wake")
        assert wake.facts["threshold"] == 0.5, "in silence it is the usual one again"

    def test_a_loudspeaker_that_takes_its_time_keeps_the_bar_up_and_the_microphone_shut(self) -> None:
        raised = settings_of(wake={"speaking_threshold": 0.8})
        scene = Scene(raised)
        scene.firmware = Firmware(raised, STREAM, FakeScorers(), FakeVoice(), prompt_delay=4 * HOP)
        clip = scene.turn()
        scene.say(clip, "Alexis, right?", 20)
        scene.order("ExpectSpeech", clip, timeout_ms=4000)
        assert states(scene.hear(23)) == []
        scene.hear(1, speech=1.0)
        assert scene.state is State.EXPECTING_SPEECH
        assert not kinds(scene.hear(5, alexa=0.7), "wake")
        assert kinds(scene.hear(5, alexa=0.0), "capture_begin") == []

    def test_the_end_of_a_turn_waits_for_the_prompt_and_withdraws_a_question(self) -> None:
        scene = Scene()
        clip = scene.turn()
        scene.say(clip, "Bye.", 5)
        scene.order("ExpectSpeech", clip, timeout_ms=4000)
        assert scene.order("TurnEnd", clip) == []
        assert scene.state is State.SPEAKING
        assert states(scene.hear(6)) == ["SPEAKING spoken IDLE"]

    def test_a_second_prompt_takes_the_place_of_the_first(self) -> None:
        scene = Scene()
        clip = scene.turn()
        scene.say(clip, "One", 20)
        scene.hear(3)
        events = scene.say(clip, "Two", 2)
        assert [(e.kind, e.facts.get("heard_whole")) for e in kinds(events, "prompt_end", "prompt")] == [
            ("prompt_end", False),
            ("prompt", None),
        ]
        assert states(scene.hear(2)) == ["SPEAKING spoken IDLE"]

    def test_a_prompt_is_cut_at_its_longest(self) -> None:
        scene = Scene(settings_of(deadlines={"prompt_ms": 160}))
        (prompt,) = kinds(scene.say(None, "la" * 50, 50), "prompt")
        assert prompt.audio is not None
        assert len(prompt.audio) == number(prompt, "samples") == 2 * HOP
        assert states(scene.hear(2)) == ["SPEAKING spoken IDLE"]

    def test_a_wake_word_while_it_thinks_is_refused_and_told(self) -> None:
        scene = Scene(settings_of(wake={"refractory_ms": 0}))
        scene.turn()
        (refused,) = kinds(scene.hear(1, alexa=0.8), "wake_refused")
        assert refused.facts["word"] == "alexa"
        assert refused.facts["score"] == pytest.approx(0.8)
        assert refused.facts["state"] == "BUSY"

    def test_a_wake_word_is_heard_while_speech_is_expected(self) -> None:
        scene = Scene()
        clip = scene.turn()
        scene.order("TurnEnd", clip)
        scene.hear(30)
        scene.order("ExpectSpeech", None, timeout_ms=4000)
        events = scene.hear(1, alexa=0.9)
        assert kinds(events, "capture_begin")[0].facts["initiator"] == "wakeword"

    def test_no_two_clips_begin_at_one_sample(self) -> None:
        scene = Scene(settings_of(wake={"refractory_ms": 0}))
        names = []
        for _ in range(3):  # three wakes in the first second, all of whose pre-rolls lie before the beginning
            scene.hear(1)
            names.append(scene.wake())
            scene.order("StopCapture")
            scene.order("TurnEnd")
        assert len(set(names)) == 3

    def test_the_order_to_delete_is_passed_on(self) -> None:
        scene = Scene()
        (event,) = scene.order("DeleteClip", "dot-1-2")
        assert (event.kind, event.facts) == ("delete_clip", {"clip": "dot-1-2"})

    def test_two_words_at_once_wake_once(self) -> None:
        firmware = fake_firmware()
        events = hear(firmware, sound_of(0, HOP, alexa=0.9, computer=0.9))
        assert [e.facts["word"] for e in kinds(events, "wake", "wake_refused")] == ["alexa", "computer"]
        assert len(kinds(events, "capture_begin")) == 1


class TestEndings:
    """How a capture ends."""

    def test_the_limit_holds_for_a_talk_that_does_not_end(self) -> None:
        scene = Scene(settings_of(capture={"limit_ms": 3000}))
        scene.hear(30)
        scene.wake()
        (end,) = kinds(scene.hear(60, speech=1.0), "capture_end")
        length = number(end, "end") - number(end, "begin")
        assert end.facts["reason"] == "limit"
        assert 3 * SECOND <= length < 3 * SECOND + HOP

    def test_the_end_of_the_stream_closes_the_clip(self) -> None:
        scene = Scene()
        clip = scene.wake()
        hear(scene.firmware, plain(scene.firmware.clock, 333))
        events = scene.firmware.finish()
        assert [e.facts["reason"] for e in kinds(events, "capture_end")] == ["interrupted"]
        last = kinds(events, "part")[-1]
        assert (last.facts["clip"], last.facts["last"], last.facts["end"]) == (clip, True, HOP + 333)
        assert scene.firmware.finish() == []

    def test_a_near_miss_under_way_is_told_at_the_end(self) -> None:
        scene = Scene()
        scene.hear(2, alexa=0.4)
        (miss,) = kinds(scene.firmware.finish(), "near_miss")
        assert miss.facts["word"] == "alexa"
        assert (miss.facts["peak"], miss.facts["threshold"]) == (HOP, 0.5)

    def test_heartbeats_count(self) -> None:
        scene = Scene(settings_of(deadlines={"heartbeat_ms": 8000}))
        scene.hear(1, alexa=0.4)
        scene.firmware.hear(Block(2 * HOP, plain(2 * HOP, 0)))
        (beat,) = kinds(scene.hear(98), "heartbeat")
        assert beat.facts == {"hops": 100, "wakes": 0, "near_misses": 1, "lost": HOP}


_HOPS = st.tuples(
    st.integers(1, 6),
    st.sampled_from([0.0, 0.0, 0.4, 0.9]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0, 0, 0, 900, 20_000]),
)
"""How many, the score, the probability of speech, and how many samples were lost before them."""


@settings(max_examples=60)
@given(
    marks=st.lists(_HOPS, min_size=1, max_size=20),
    sizes=st.lists(st.integers(0, 5000), min_size=1, max_size=6).filter(any),
)
def test_however_sound_is_cut_the_events_are_the_same(
    marks: list[tuple[int, float, float, int]], sizes: list[int]
) -> None:
    one, other = fake_firmware(), fake_firmware()
    events: list[Event] = []
    split: list[Event] = []
    clock = 0
    for count, alexa, speech, lost in marks:
        clock += lost
        sound = sound_of(clock, count * HOP, alexa=alexa, speech=speech)
        for firmware, into in ((one, events), (other, split)):
            into += firmware.hear(Block(clock, sound[:0]))
        events += hear(one, sound)
        split += hear_split(other, sound, sizes)
        clock += len(sound)
    assert told(events + one.finish()) == told(split + other.finish())

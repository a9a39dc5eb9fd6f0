"""The recognizer in its own process: it does not hold up the others, and its end is a sentence."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sim.cloud.recognizer import load_recognizer
from sim.cloud.recognizer_process import RecognizerProcess
from sim.cloud.settings import EarSettings, VerifierSettings
from sim.cloud.verifier import Opening, load_verifier
from sim.errors import RecognizerError
from sim.home.overhear import overhear
from sim.scenario import load_scenario
from wakeword.sound import RATE, Samples


@pytest.fixture(scope="module")
def clip() -> Samples:
    return overhear(load_scenario("kitchen-unacceptable")).samples[int(11.8 * RATE) : int(19.8 * RATE)]


def test_it_hears_the_same_and_a_callback_beside_it_is_not_held_up(clip: Samples) -> None:
    process = RecognizerProcess("pocketsphinx")
    longest, done = [0.0], threading.Event()

    def beat() -> None:
        last = time.perf_counter()
        while not done.wait(0.005):
            now = time.perf_counter()
            longest[0], last = max(longest[0], now - last), now

    thread = threading.Thread(target=beat)
    try:
        thread.start()
        there = process.transcribe(clip)
        done.set()
        thread.join()
        assert there == load_recognizer("pocketsphinx").transcribe(clip)
        # In one process PocketSphinx holds Python's lock for over a second here; PortAudio is asked to keep 0.2 s.
        assert longest[0] < 0.5
    finally:
        done.set()
        process.close()


def test_a_recognizer_that_dies_is_one_sentence(clip: Samples) -> None:
    process = RecognizerProcess("pocketsphinx")
    assert process._process.pid is not None
    os.kill(process._process.pid, signal.SIGKILL)
    with pytest.raises(RecognizerError, match="has ended"):
        process.transcribe(clip)
    process.close()


def test_what_cannot_be_loaded_is_told_here() -> None:
    with pytest.raises(RecognizerError, match="no recognizer"):
        RecognizerProcess("parrot")


def test_clips_that_are_open_at_once_are_heard_like_each_alone(clip: Samples) -> None:
    clips = [clip[: 3 * RATE], clip[4 * RATE :]]
    process = RecognizerProcess("pocketsphinx", EarSettings(alternatives=1))
    try:
        listening = [process.listen() for _ in clips]
        given_up = process.listen()
        for begin in range(0, len(clip), RATE):
            for one, its in zip((*listening, given_up), (*clips, clip), strict=True):
                one.push(its[begin : begin + RATE])
        given_up.close()
        with ThreadPoolExecutor() as threads:
            there = list(threads.map(lambda one: one.finish(), reversed(listening)))[::-1]
        here = load_recognizer("pocketsphinx", ears=EarSettings(alternatives=1))
        assert there == [here.transcribe(its) for its in clips]
        assert any(transcript.alternatives for transcript in there)
    finally:
        process.close()


def test_who_waits_for_a_process_that_is_ended_is_told(clip: Samples) -> None:
    process = RecognizerProcess("pocketsphinx")
    assert process._process.pid is not None
    listening = process.listen()
    listening.push(clip)
    os.kill(process._process.pid, signal.SIGSTOP)  # so that it cannot be done before
    with ThreadPoolExecutor() as threads:
        waits = threads.submit(listening.finish)
        os.kill(process._process.pid, signal.SIGKILL)
        with pytest.raises(RecognizerError, match="has ended"):
            waits.result()
    with pytest.raises(RecognizerError, match="has ended"):
        process.listen().finish()
    process.close()


def test_it_looks_at_a_wake_word_while_a_clip_is_open(clip: Samples) -> None:
    settings = VerifierSettings(method="engine")
    opening = Opening("dot-1", "alexa", clip[: 2 * RATE], RATE // 2, RATE)
    process = RecognizerProcess("none", verifier=settings)
    try:
        listening = process.listen()
        listening.push(clip)
        here = load_verifier(settings)
        assert here is not None
        assert process.look(opening) == here.look(opening) is not None
        assert listening.finish().text == ""
    finally:
        process.close()


def test_a_verifier_that_is_not_there_does_not_look(clip: Samples) -> None:
    process = RecognizerProcess("none")
    try:
        assert process.look(Opening("dot-1", "alexa", clip[: 2 * RATE], RATE // 2, RATE)) is None
    finally:
        process.close()

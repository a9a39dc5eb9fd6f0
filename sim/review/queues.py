"""Into which queue a clip goes, by what the far end made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.review.policy import Queue
from wakeword.pronunciation import spoken_words


def queue_of(facts: Mapping[str, Any], words: Sequence[Sequence[Any]] | None, low: float) -> tuple[Queue, str]:
    """Give a clip's queue, and why it is in that.

    facts: those of its part 0. words: text, begin, end and confidence of each that was heard, None where nobody has
    listened yet. low: the mean confidence under which a clip is of low confidence.

    That the far end did not hear the wake word which woke the device makes a clip suspect, no more: without a person
    nobody knows whether it was said.
    """
    if words is None:
        return "general", "random"
    text = [part for word in words for part in spoken_words(str(word[0]))]
    word = facts.get("word")
    if facts.get("initiator") == "wakeword" and isinstance(word, str):
        wanted = spoken_words(word.replace("_", " "))
        if not any(text[at : at + len(wanted)] == wanted for at in range(len(text))):
            return "false-wakes", f"{' '.join(wanted)!r} is not in what was heard"
    sure = sum(float(word[3]) for word in words) / len(words) if words else 0.0
    if sure < low:
        return "low-confidence", f"mean confidence {sure:.2f} under {low:g}"
    return "general", "random"

"""What a household says, as text: the sentences that the small model is trained on and knows the words of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np


def _choices(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


SLOTS: dict[str, tuple[str, ...]] = {
    "name": _choices("frank, linda, peter, susan, martin, alice, robert, mary, david, emma"),
    "person": _choices("my mother, my father, my sister, my brother, our neighbour, the office, the doctor"),
    "room": _choices("kitchen, bedroom, bathroom, hallway, garden, garage, office, living room"),
    "floor": _choices("oak, hardwood, wood, tile, cheap, old, new"),
    "thing": _choices("light, lights, radio, heating, music, door, window, television, fan"),
    "food": _choices("milk, bread, coffee, tea, eggs, butter, cheese, apples, soup, dinner, breakfast"),
    "day": _choices("monday, tuesday, wednesday, thursday, friday, saturday, sunday, today, tomorrow, tonight"),
    "number": _choices(
        "one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, "
        "fifteen, twenty, thirty, forty, fifty"
    ),
    "unit": _choices("minutes, hours, seconds"),
    "topic": _choices("the floors, the glue, the price, the weather, humidity, privacy, winter, the samples"),
    "feeling": _choices("beautiful, expensive, flexible, good, bad, unacceptable, cold, warm"),
    "tell": _choices("i think, you know, if you ask me, can you believe it, they said, i told you"),
}
"""What may stand where; a word that is only here is as well known as any other."""

TEMPLATES: tuple[str, ...] = (
    "send a message to {name}",
    "send a message to {person}",
    "send {name} a message about {topic}",
    "so i sent a message to {name}",
    "so i sent a message about {topic}",
    "to whom",
    "{name}, right",
    "right",
    "right, he went with {floor} floors",
    "right, she went with the {floor} one",
    "yes",
    "yes, send it",
    "yes please",
    "no",
    "no, stop",
    "no, cancel the message",
    "no thank you",
    "cancel",
    "stop",
    "okay",
    "hello {name}",
    "call {name}",
    "call {person} {day}",
    "{name} had his floors done last winter",
    "{name} had her {room} done last year",
    "we could have {floor} floors in the {room}",
    "what about the {floor} floors in the {room}",
    "the {floor} floors are {feeling}",
    "that is {feeling}",
    "that is {feeling}, {tell}",
    "{feeling}, {tell}",
    "the glue has to be flexible",
    "a lecture about {topic}",
    "she gave us the lecture about {topic}",
    "a letter from {person}, {tell}",
    "a collection of {floor} samples",
    "people accept that",
    "people like some privacy",
    "the election is on {day}",
    "over on lexington street",
    "turn on the {thing}",
    "turn off the {thing} in the {room}",
    "turn the {thing} up",
    "turn the {thing} down please",
    "set a timer for {number} {unit}",
    "wake me at {number} {day}",
    "remind me to call {name} at {number}",
    "add {food} to the shopping list",
    "we need {food} and {food}",
    "do we have {food} for {day}",
    "would you like some {food}",
    "play some music in the {room}",
    "what time is it",
    "what is the weather {day}",
    "how was your day",
    "who was at the {thing}",
    "{name} is in the {room}",
    "{name} and {name} are coming on {day}",
    "he wants {number} of them",
    "they want {number} hundred and {number} for it",
    "delete everything i said {day}",
    "delete what i just said",
    "can you hear me",
    "did you close the {thing}",
    "i was in the {room} with {name}",
    "i will do it {day}",
    "it was {feeling} in the {room}",
    "we talked about {topic} with {person}",
    "good morning {name}",
    "good night",
)
"""Whole sentences with {slots}; a comma is a pause."""


def compose(rng: np.random.Generator, count: int, templates: Sequence[str] = TEMPLATES) -> list[str]:
    """``count`` sentences with commas; templates and words of a slot in turn, in an order drawn by ``rng``."""
    slots = {slot: _in_turn(words, rng) for slot, words in SLOTS.items()}
    turns = _in_turn(templates, rng)
    return [re.sub(r"{(\w+)}", lambda slot: next(slots[slot[1]]), next(turns)) for _ in range(count)]


def words_of(sentence: str) -> list[str]:
    """The words of a sentence, lower case, without punctuation; as both references and recognizers have them."""
    return re.findall(r"[a-z']+", sentence.lower())


def vocabulary(templates: Sequence[str] = TEMPLATES) -> list[str]:
    """Every word that `compose` can give, sorted."""
    used = {slot for template in templates for slot in re.findall(r"{(\w+)}", template)}
    texts = [re.sub(r"{\w+}", " ", template) for template in templates]
    texts += [phrase for slot in used for phrase in SLOTS[slot]]
    return sorted({word for text in texts for word in words_of(text)})


def _in_turn(items: Sequence[str], rng: np.random.Generator) -> Iterator[str]:
    """All items in a random order, again and again."""
    while True:
        for index in rng.permutation(len(items)):
            yield items[index]

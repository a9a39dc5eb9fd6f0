"""The exposure report: what may come to people, what has, and what stays of what was deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from sim.cloud.schema import (
    AnnotationRow,
    ClipRow,
    DeletedRow,
    PartRow,
    TaskRow,
    TranscriptRow,
)
from sim.review.desk import Desk
from sim.review.exposure import Exposed, Exposure, Kept, exposure
from sim.review.labels import Labels
from sim.review.policy import ReviewPolicy, load_policy
from sim.review.sampling import draw
from tests.review_kit import Programme, seeded


@pytest.fixture
def programme(tmp_path: Path) -> Iterator[Programme]:
    made = Programme(tmp_path)
    yield made
    made.close()


def of(found: Exposure, fact: str, customer: int = 1) -> Exposed | None:
    rows = {(each.fact, each.customer): each for each in found.facts}
    return rows.get((fact, f"A{customer:010d}"))


def facts(found: Exposure, customer: int = 1) -> list[str]:
    return [each.fact for each in found.facts if each.customer == f"A{customer:010d}"]


def desk_of(programme: Programme, policy: ReviewPolicy) -> Desk:
    everything = policy.model_copy(update={"rate": 1.0, "double": 0.0})
    draw(programme.store, everything, 1, programme.audit, programme.clock)
    return Desk(programme.store, everything, programme.audit, programme.clock, seeded())


def delete_clip(programme: Programme, clip: str, *what: str) -> None:
    """Delete as the far end does, so far as its rows go."""
    with programme.store.database.writing() as session:
        session.add(DeletedRow(clip=clip, device="dot-1", asked=clip, what=[*what], swept=True))
        session.execute(delete(AnnotationRow).where(AnnotationRow.clip == clip))
        session.execute(delete(TaskRow).where(TaskRow.clip == clip))
        if "transcript" in what:
            session.execute(delete(TranscriptRow).where(TranscriptRow.clip == clip))
            session.execute(delete(PartRow).where(PartRow.clip == clip))
            session.execute(delete(ClipRow).where(ClipRow.id == clip))


def test_policies_differ_in_what_stands_beside_and_not_in_what_is_said(programme: Programme) -> None:
    device = programme.customer(1)
    programme.clip(device, 0, "alexa call stephanie at five five five one two three four")
    programme.clip(device, 100_000, "alexa play a song")
    programme.clip(programme.customer(2, ""), 0, "we live at nineteen oak street")
    april, bare = (exposure(programme.store, load_policy(name)) for name in ("2019-april", "deidentified"))
    said = ["name said", "number said"]
    assert facts(april) == ["account number", "first name", "device serial", "voice", "words", *said]
    assert facts(bare) == ["voice", "words", *said]
    assert facts(april, 2) == ["account number", "device serial", "voice", "words", "address said"]
    assert facts(exposure(programme.store, load_policy("coordinates"))) == [
        *("account number", "device serial", "coordinates", "voice", "words", *said)
    ]
    assert (april.clips, april.beside, april.by_words) == (3, 3, 2)
    assert (bare.clips, bare.beside, bare.by_words) == (3, 0, 2)
    assert bare.said == {"name": 1, "address": 1, "number": 1}
    assert of(april, "voice") == Exposed("voice", "A0000000001", 2, 0, 0.004, 0.003996, 0, 0)
    assert of(april, "name said") == Exposed("name said", "A0000000001", 1, 0, 0.002, 0.002, 0, 0)
    assert json.loads(json.dumps(april.as_json()))["linked"] == {"beside": 3, "by_words": 2, "said": {**april.said}}


def test_who_must_not_be_heard_has_no_chance_to_be(programme: Programme) -> None:
    programme.clip(programme.customer(1, choice="out"))
    programme.clip(programme.customer(2, choice="in"))
    programme.clip(programme.customer(3))
    chances = {}
    for name in ("2019-april", "2019-august", "apple-2019", "none"):
        found = exposure(programme.store, load_policy(name, [("rate", "0.5")]))
        rows = [of(found, "voice", customer) for customer in (1, 2, 3)]
        chances[name] = [None if row is None else row.chance for row in rows]
    assert chances == {
        "2019-april": [0.5, 0.5, 0.5],
        "2019-august": [0.0, 0.5, 0.5],
        "apple-2019": [0.0, 0.5, 0.0],
        "none": [0.0, 0.0, 0.0],
    }


def test_certainty_and_customers_that_are_left_out_count(programme: Programme) -> None:
    device = programme.customer(1)
    for begin in (0, 100_000):
        programme.clip(device, begin)
    sure = of(exposure(programme.store, load_policy("2019-april", [("rate", "1")])), "voice")
    assert sure is not None
    assert (sure.drawn, sure.chance) == (2.0, 1.0)
    some = load_policy("2019-april", [("rate", "0.2"), ("customers", "0.5")])
    half = of(exposure(programme.store, some), "voice")
    assert half is not None
    assert half.chance == pytest.approx(0.5 * (1 - 0.6**2))
    false_wakes = load_policy("2019-april", [("strata", "{false-wakes: 1}")])
    programme.clip(device, 200_000, "a lecture")
    strata = of(exposure(programme.store, false_wakes), "voice")
    assert strata is not None
    assert strata.drawn == 1.0


def test_eyes_and_ears_are_counted_under_the_policy_that_let_them(programme: Programme) -> None:
    programme.clip(programme.customer(1), 0, "alexa call stephanie")
    april = desk_of(programme, load_policy("2019-april", [("double", "1")]))
    for annotator in ("ann", "bob"):
        task = april.next_task(annotator)
        if task is not None:
            april.sound(task.id, annotator)
            april.sound(task.id, annotator)
            april.skip(task.id, annotator)
    found = exposure(programme.store, april.policy)
    counts = {each.fact: (each.people, each.times) for each in found.facts}
    assert counts == {
        "account number": (2, 2),
        "first name": (2, 2),
        "device serial": (2, 2),
        "voice": (2, 4),
        "words": (2, 6),
        "name said": (2, 6),
    }
    bare = exposure(programme.store, load_policy("deidentified"))
    assert {(each.people, each.times) for each in bare.facts} == {(0, 0)}
    # Under another policy the same work shows less.
    other = desk_of(programme, load_policy("deidentified", [("prefill", "false")]))
    task = other.next_task("cyd")
    assert task is not None
    assert task.shown == {}
    seen = {each.fact: each.people for each in exposure(programme.store, other.policy).facts}
    assert seen == {"voice": 0, "words": 0, "name said": 0}
    other.sound(task.id, "cyd")
    heard = {each.fact: each.people for each in exposure(programme.store, other.policy).facts}
    assert heard == {"voice": 1, "words": 1, "name said": 1}


def test_a_deletion_that_is_partial_shows(programme: Programme) -> None:
    device = programme.customer(1)
    clip = programme.clip(device, 0, "alexa call stephanie")
    programme.clip(device, 100_000)
    policy = load_policy("2019-april", [("rate", "0.5")])
    delete_clip(programme, clip, "audio")
    found = exposure(programme.store, policy)
    assert found.kept == (Kept("A0000000001", "transcript", 1),)
    words, voice, name = (of(found, fact) for fact in ("words", "voice", "name said"))
    assert words is not None
    assert (words.clips, words.deleted, words.drawn) == (2, 1, 0.5)
    assert voice is not None
    assert (voice.clips, voice.deleted) == (1, 0)
    assert name is not None
    assert (name.clips, name.deleted, name.chance) == (1, 1, 0.0)


def test_after_a_deletion_of_everything_what_people_heard_is_left(programme: Programme) -> None:
    clip = programme.clip(programme.customer(1), 0, "alexa call stephanie")
    desk = desk_of(programme, load_policy("2019-april"))
    task = desk.next_task("ann")
    assert task is not None
    desk.sound(task.id, "ann")
    desk.submit(task.id, "ann", Labels(transcript="alexa call stephanie", addressed=True, wake_word=True))
    delete_clip(programme, clip, "audio", "transcript", "messages")
    found = exposure(programme.store, desk.policy)
    assert (found.clips, found.kept, found.heard_and_deleted) == (0, (), 1)
    assert {(each.clips, each.people) for each in found.facts} == {(0, 1)}
    assert "name said" in facts(found)


def test_what_people_wrote_down_counts_in_place_of_what_was_recognized(programme: Programme) -> None:
    programme.clip(programme.customer(1), 0, "alexa call seven tunnies")
    desk = desk_of(programme, load_policy("deidentified"))
    assert exposure(programme.store, desk.policy).by_words == 0
    task = desk.next_task("ann")
    assert task is not None
    desk.submit(task.id, "ann", Labels(transcript="Alexa, call Stephanie", addressed=True, wake_word=True))
    assert exposure(programme.store, desk.policy).said == {"name": 1, "address": 0, "number": 0}

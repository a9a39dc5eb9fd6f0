"""What the desk does, on whatever database: run on each kind by the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from sqlalchemy import func, select, update

from sim.cloud.schema import AnnotationRow, ClipRow, DeletedRow, EscalationRow, TaskRow
from sim.errors import ReviewError, StoreError, TaskGoneError
from sim.review.desk import Desk
from sim.review.exposure import Kept, exposure
from sim.review.labels import Labels
from sim.review.policy import ReviewPolicy, load_policy
from sim.review.sampling import draw
from tests.review_kit import SAMPLES, Programme, names, seeded

MUNDANE = Labels(transcript="alexa play a song", addressed=True, wake_word=True)


def everything(name: str = "2019-april", **changes: str) -> ReviewPolicy:
    return load_policy(name, [("rate", "1"), ("double", "0"), *changes.items()])


def desk_of(programme: Programme, policy: ReviewPolicy, *, seed: int = 1) -> Desk:
    draw(programme.store, policy, seed, programme.audit, programme.clock)
    return Desk(programme.store, policy, programme.audit, programme.clock, seeded(seed))


def actions(programme: Programme, *which: str) -> list[tuple[str, str]]:
    entries = [link.entry for link in programme.audit.entries()]
    return [(entry.who, entry.action) for entry in entries if entry.action in which]


def a_task_is_seen_heard_and_labelled(programme: Programme) -> None:
    clip = programme.clip(programme.customer(1))
    desk = desk_of(programme, everything())
    task = desk.next_task("ann")
    assert task is not None
    assert task.shown == {"account number": "A0000000001", "first name": "Ann", "device serial": "G000000000000001"}
    assert (task.transcript, task.samples, task.queue) == ("alexa play a song", len(SAMPLES), "general")
    assert clip not in str(task)
    assert desk.next_task("bob") is None
    np.testing.assert_array_equal(desk.sound(task.id, "ann"), SAMPLES)
    desk.sound(task.id, "ann")
    programme.clock.pass_(seconds=40)
    assert desk.task(task.id, "ann") == task
    desk.submit(task.id, "ann", MUNDANE)
    with programme.store.database.reading() as session:
        (row,) = session.scalars(select(AnnotationRow)).all()
        assert (row.clip, row.annotator, row.seconds, row.listens) == (clip, "ann", 40.0, 2)
        assert (row.transcript, row.addressed, row.kind, row.speakers) == ("alexa play a song", True, "mundane", 1)
    assert desk.pace("ann") == type(desk.pace("ann"))(1, 40.0, 32.4)
    assert desk.pace("bob").seconds_per_clip is None
    assert [(state.open, state.taken, state.done) for state in desk.queues()] == [(0, 0, 0), (0, 0, 0), (0, 0, 1)]
    assert [action for _, action in actions(programme, "view", "listen", "label")] == [
        *("view", "listen", "listen", "view", "label")
    ]
    assert {link.entry.customer for link in programme.audit.entries(1)} == {"A0000000001"}
    assert programme.audit.verify() is None
    for again in (desk.submit, lambda *_: desk.sound(task.id, "ann")):
        with pytest.raises(TaskGoneError):
            again(task.id, "ann", MUNDANE)


def others_learn_nothing_of_a_task(programme: Programme) -> None:
    programme.clip(programme.customer(1))
    desk = desk_of(programme, everything())
    task = desk.next_task("ann")
    assert task is not None
    told = set()
    for handle in (task.id, "0123456789abcdef"):
        for deed in (desk.task, desk.sound, desk.skip, lambda t, w: desk.submit(t, w, MUNDANE)):
            with pytest.raises(TaskGoneError) as raised:
                deed(handle, "bob")
            told.add(str(raised.value).replace(handle, ""))
        with pytest.raises(TaskGoneError, match="was never yours"):
            desk.distress(handle, "bob", "")
    assert told == {"task  is not yours, or not any more; take the next one"}
    other = Desk(programme.store, everything("deidentified"), programme.audit, programme.clock, seeded())
    with pytest.raises(TaskGoneError):
        other.sound(task.id, "ann")
    assert actions(programme, "listen", "label") == []


def the_policy_says_what_is_shown(programme: Programme) -> None:
    programme.clip(programme.customer(1))
    seen = {}
    for name in ("2019-april", "coordinates", "deidentified"):
        task = desk_of(programme, everything(name)).next_task("ann")
        assert task is not None
        seen[name] = task.shown
    assert seen["coordinates"] == {
        "account number": "A0000000001",
        "device serial": "G000000000000001",
        "coordinates": "45.5000, -122.6000",
    }
    assert seen["deidentified"] == {}
    bare = desk_of(programme, everything(name="2019-april", prefill="false", shows="[first name]")).next_task("b")
    assert bare is None  # the clip's task of this policy is ann's already
    programme.clip(programme.customer(2, first_name=""))
    bare = desk_of(programme, everything(prefill="false", shows="[first name, coordinates]")).next_task("b")
    assert bare is not None
    assert (bare.shown, bare.transcript) == ({"coordinates": "45.5000, -122.6000"}, "")


def what_is_taken_comes_back_to_whoever_took_it(programme: Programme) -> None:
    device = programme.customer(1)
    for begin in (0, 100_000, 200_000):
        programme.clip(device, begin)
    desk = desk_of(programme, everything())
    first = desk.next_task("ann")
    assert first is not None
    assert desk.next_task("ann") == first  # the page was loaded again
    programme.clock.pass_(seconds=1)
    second = desk.next_task("ann", besides=[first.id])  # fetched ahead
    assert second is not None
    assert second.id != first.id
    assert desk.held("ann") == [first.id, second.id]
    third = desk.next_task("bob")
    assert third is not None
    assert third.id not in (first.id, second.id)
    assert desk.next_task("ann", besides=[first.id, second.id]) is None


def a_task_falls_back_in_time(programme: Programme) -> None:
    programme.clip(programme.customer(1))
    desk = desk_of(programme, everything())
    task = desk.next_task("ann")
    assert task is not None
    programme.clock.pass_(minutes=29)
    assert desk.next_task("bob") is None
    programme.clock.pass_(minutes=2)
    # Late, but nobody else has it yet: no work is lost.
    assert desk.sound(task.id, "ann") is not None
    again = desk.next_task("bob")
    assert again is not None
    assert again.id == task.id
    with pytest.raises(TaskGoneError):
        desk.submit(task.id, "ann", MUNDANE)
    desk.submit(task.id, "bob", MUNDANE)


def whoever_skips_does_not_get_it_again(programme: Programme) -> None:
    programme.clip(programme.customer(1))
    desk = desk_of(programme, everything(double="1"))
    task = desk.next_task("ann")
    assert task is not None
    desk.skip(task.id, "ann")
    assert desk.next_task("ann") is None
    assert desk.queues()[2].open == 2
    assert desk.next_task("bob") is not None
    assert actions(programme, "skip") == [("ann", "skip")]


def nobody_gets_both_copies(programme: Programme) -> None:
    device = programme.customer(1)
    for begin in (0, 100_000):
        programme.clip(device, begin)
    desk = desk_of(programme, everything(double="1"))
    mine = [desk.next_task("ann", desk.held("ann")) for _ in range(3)]
    assert mine[2] is None
    clips = {clip_of(programme, task.id) for task in mine if task is not None}
    assert len(clips) == 2
    for task in mine[:2]:
        assert task is not None
        desk.submit(task.id, "ann", MUNDANE)
    assert desk.next_task("ann") is None
    assert desk.next_task("bob") is not None


def clip_of(programme: Programme, task: str) -> str:
    with programme.store.database.reading() as session:
        return session.execute(select(TaskRow.clip).where(TaskRow.id == task)).scalar_one()


def threads_never_share_a_task(programme: Programme) -> None:
    device = programme.customer(1)
    programme.rows(device, 30)
    policy = everything(double="1")
    desk_of(programme, policy)

    def work(annotator: str) -> list[tuple[str, str]]:
        desk = Desk(programme.store, policy, programme.audit, programme.clock, seeded())
        done = []
        while (task := desk.next_task(annotator)) is not None:
            with suppress(TaskGoneError):  # whoever sits at two desks has one task on both, and hands it in once
                desk.submit(task.id, annotator, MUNDANE)
                done.append((task.id, annotator))
        return done

    with ThreadPoolExecutor(6) as pool:
        done = [each for worker in pool.map(work, [*names(5), "annotator-0"]) for each in worker]
    assert len({task for task, _ in done}) == len(done) == 60
    assert_apart(programme)


def assert_apart(programme: Programme) -> None:
    """Every task was done once, and both copies of a clip by two people."""
    with programme.store.database.reading() as session:
        rows = session.execute(
            select(TaskRow.clip, func.count(), func.count(TaskRow.annotator.distinct())).group_by(TaskRow.clip)
        )
        assert {tuple(counts) for _, *counts in rows} == {(2, 2)}
        assert session.execute(select(func.count()).select_from(AnnotationRow)).scalar() == 60
    assert programme.audit.verify() is None


def who_opts_out_is_not_heard_any_more(programme: Programme) -> None:
    device = programme.customer(1)
    for begin in (0, 100_000):
        programme.clip(device, begin)
    desk = desk_of(programme, everything("2019-august"))
    task = desk.next_task("ann")
    assert task is not None
    programme.store.customers.choose("A0000000001", "out")
    with pytest.raises(TaskGoneError):
        desk.sound(task.id, "ann")
    assert desk.next_task("ann") is None
    assert desk.next_task("bob") is None
    assert desk.queues()[2].withdrawn == 2
    assert draw(programme.store, desk.policy, 1, programme.audit, programme.clock).left_out == {"opted out": 2}
    # In April nobody was asked.
    april = desk_of(programme, everything("2019-april"))
    assert april.next_task("ann") is not None


def what_was_deleted_is_not_heard_any_more(programme: Programme) -> None:
    device = programme.customer(1)
    clip = programme.clip(device)
    desk = desk_of(programme, everything())
    task = desk.next_task("ann")
    assert task is not None
    with programme.store.database.writing() as session:
        session.add(DeletedRow(clip=clip, device=device, asked=clip, what=["audio"], swept=True))
    with pytest.raises(TaskGoneError):
        desk.sound(task.id, "ann")
    assert desk.next_task("ann") is None
    assert desk.distress(task.id, "ann", "a cry").startswith("It is not our job")
    assert [(each.clip, each.state) for each in desk.escalations()] == [(clip, "declined")]


def distress_is_declined_or_goes_to_somebody(programme: Programme) -> None:
    programme.clip(programme.customer(1))
    april = desk_of(programme, everything())
    task = april.next_task("ann")
    assert task is not None
    assert "not our job" in april.distress(task.id, "ann", "somebody cried for help")
    (declined,) = april.escalations()
    assert (declined.state, declined.procedure, declined.deadline) == ("declined", "not our job", None)
    with pytest.raises(ReviewError, match=r"was declined \(not our job\)"):
        april.resolve(declined.id, "lea", "called")
    with pytest.raises(ReviewError, match="no open escalation"):
        april.escalated_sound(declined.id, "lea")
    august = desk_of(programme, everything("2019-august"))
    task = august.next_task("ann")
    assert task is not None
    assert august.distress(task.id, "ann", "somebody cried\0 for help").startswith(
        "lead looks into it, until 2019-04-11T12:00"
    )
    *_, first = sorted(august.escalations(), key=lambda each: each.state)
    assert (first.state, first.assignee, first.why, first.overdue) == ("open", "lead", "somebody cried for help", False)
    programme.clock.pass_(hours=25)
    assert august.escalations()[0].overdue
    np.testing.assert_array_equal(august.escalated_sound(first.id, "lea"), SAMPLES)
    for escalation, note, why in (("x", "y", "no escalation x"), (first.id, " ", "not resolved without one")):
        with pytest.raises(ReviewError, match=why):
            august.resolve(escalation, "lea", note)
    august.resolve(first.id, "lea", "the police were called")
    resolved = next(each for each in august.escalations() if each.id == first.id)
    assert (resolved.state, resolved.note, resolved.overdue) == ("resolved", "the police were called", False)
    with pytest.raises(ReviewError, match="was resolved already"):
        august.resolve(first.id, "lea", "again")
    told = actions(programme, "escalate", "resolve", "listen")
    assert told == [("ann", "escalate"), ("ann", "escalate"), ("lea", "listen"), ("lea", "resolve")]


def distress_is_not_lost_between_desks(programme: Programme) -> None:
    """Whatever becomes of the task: handed in, given back, fallen back to another, withdrawn."""
    device = programme.customer(1)
    for begin in range(0, 500_000, 100_000):
        programme.clip(device, begin)
    desk = desk_of(programme, everything("2019-august"))
    held: list[str] = []
    for _ in range(5):
        task = desk.next_task("ann", held)
        assert task is not None
        held.append(task.id)
    desk.submit(held[0], "ann", MUNDANE)
    desk.skip(held[1], "ann")
    programme.clock.pass_(minutes=31)
    assert desk.next_task("bob") is not None
    with programme.store.database.writing() as session:
        session.execute(update(TaskRow).where(TaskRow.id == held[3]).values(state="withdrawn", annotator=None))
        session.delete(session.get(TaskRow, held[4]))
    for number, handle in enumerate(held):
        assert desk.distress(handle, "ann", f"report {number}").startswith("lead looks into it")
    assert sorted(each.why for each in desk.escalations()) == [f"report {number}" for number in range(5)]
    with programme.store.database.reading() as session:
        rows = {row.task: row.clip for row in session.execute(select(EscalationRow.task, EscalationRow.clip))}
        assert set(rows) == set(held)
        assert set(rows.values()) == set(session.scalars(select(ClipRow.id)))


def agreement_is_that_of_the_copies(programme: Programme) -> None:
    programme.rows(programme.customer(1), 10)
    policy = everything(double="1")
    desk = desk_of(programme, policy)
    for annotator, wrong in (("ann", ()), ("bob", (0, 1))):
        clips = sorted(programme_clips(programme))
        while (task := desk.next_task(annotator)) is not None:
            number = clips.index(clip_of(programme, task.id))
            addressed = (number % 2 == 0) != (number in wrong)
            desk.submit(task.id, annotator, Labels(transcript="", addressed=addressed, wake_word=None, speakers=number))
    found = desk.agreement("addressed")
    assert (found.n, found.observed) == (10, 0.8)
    assert found.kappa == pytest.approx(0.6, abs=0.05)  # who had which copy moves the margins
    assert desk.agreement("speakers").kappa == 1.0
    assert desk.agreement("wake_word").kappa is None
    with pytest.raises(ReviewError, match="there is no label loudness; there are: addressed,"):
        desk.agreement("loudness")  # type: ignore[arg-type]


def programme_clips(programme: Programme) -> list[str]:
    with programme.store.database.reading() as session:
        return list(session.scalars(select(ClipRow.id)))


def a_clip_without_its_sound_is_one_sentence(programme: Programme) -> None:
    programme.rows(programme.customer(1), 1)
    desk = desk_of(programme, everything())
    task = desk.next_task("ann")
    assert task is not None
    with pytest.raises(StoreError, match="is gone from the store"):
        desk.sound(task.id, "ann")
    details = [json.dumps(dict(link.entry.details)) for link in programme.audit.entries(action="listen")]
    assert len(details) == 1


def draws_at_once_make_each_task_once(programme: Programme) -> None:
    programme.rows(programme.customer(1), 200)
    policy = everything(double="1")

    def go(_: int) -> int:
        return draw(programme.store, policy, 1, programme.audit, programme.clock, at_once=20).tasks

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(go, range(3))) == 400
    with programme.store.database.reading() as session:
        assert session.execute(select(func.count()).select_from(TaskRow)).scalar() == 400
    assert programme.audit.verify() is None


def exposure_is_told(programme: Programme) -> None:
    device = programme.customer(1)
    clip = programme.clip(device, 0, "alexa call stephanie")
    programme.clip(device, 100_000)
    desk = desk_of(programme, everything())
    task = desk.next_task("ann")
    assert task is not None
    desk.sound(task.id, "ann")
    with programme.store.database.writing() as session:
        session.add(DeletedRow(clip=clip, device=device, asked=clip, what=["audio"], swept=True))
    found = exposure(programme.store, everything(strata="{general: 0.5}"))
    (voice,) = [each for each in found.facts if each.fact == "voice"]
    assert (voice.clips, voice.deleted, voice.drawn, voice.people, voice.times) == (1, 0, 0.5, 1, 1)
    assert found.kept == (Kept("A0000000001", "transcript", 1),)


CASES: tuple[Callable[[Programme], None], ...] = (
    a_task_is_seen_heard_and_labelled,
    others_learn_nothing_of_a_task,
    the_policy_says_what_is_shown,
    what_is_taken_comes_back_to_whoever_took_it,
    a_task_falls_back_in_time,
    whoever_skips_does_not_get_it_again,
    nobody_gets_both_copies,
    threads_never_share_a_task,
    who_opts_out_is_not_heard_any_more,
    what_was_deleted_is_not_heard_any_more,
    distress_is_declined_or_goes_to_somebody,
    distress_is_not_lost_between_desks,
    agreement_is_that_of_the_copies,
    a_clip_without_its_sound_is_one_sentence,
    draws_at_once_make_each_task_once,
    exposure_is_told,
)

"""Simulated annotators at the real desk: they label as the scenario knows it to be, but for a share of errors."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from sim.cloud.schema import AnnotationRow, TaskRow
from sim.cloud.store import ClipStore
from sim.review.audit import Audit
from sim.review.desk import Desk
from sim.review.feedback.plan import Places, Plan
from sim.review.feedback.playing import STORE, Day
from sim.review.feedback.week import morning_after
from sim.review.labels import Labels
from sim.review.policy import load_policy
from sim.review.sampling import draw, luck
from sim.review.signer import Signer
from sim.review.task import REPORTED_SECONDS_PER_CLIP
from sim.speech.library import write_whole
from uplink.keyring import Keyring

ANNOTATORS = ("simulated-1", "simulated-2")
Label = tuple[bool | None, bool | None]
"""Whether the device was spoken to, and whether the wake word was said."""


@dataclass(frozen=True)
class Reviewed:
    """What came of the review of a home. `labels`: of each annotated clip, by each who labelled it."""

    considered: int
    drawn: int
    labels: dict[str, list[Label]]
    seconds: float

    @property
    def agreed(self) -> dict[str, bool]:
        """Clips that all who labelled them call a call to the device, or all call none: which of the two."""
        return agreed(self.labels)

    @classmethod
    def read(cls, file: Path) -> Reviewed:
        """As it was written."""
        facts = json.loads(file.read_text("utf-8"))
        facts["labels"] = {clip: [(a, w) for a, w in labels] for clip, labels in facts["labels"].items()}
        return cls(**facts)


def agreed(labels: Mapping[str, Sequence[Label]]) -> dict[str, bool]:
    """See `Reviewed.agreed`."""
    found = {}
    for clip, said in labels.items():
        if set(said) in ({(True, True)}, {(False, False)}):
            found[clip] = said[0] == (True, True)
    return found


@dataclass(frozen=True)
class Review:
    """The review of the days of one home that are learned from; `file` gets what came of it."""

    plan: Plan
    places: Places
    home: int

    @property
    def file(self) -> Path:
        """Where that is."""
        return self.places.out / "reviewed" / f"home-{self.home + 1}.json"


def review_home(work: Review) -> None:
    """Draw, hand out, listen, label: all of it at the desk and in its log; once. Raises SimError."""
    if work.file.is_file():
        return
    plan, days = work.plan, list(work.plan.week.learned_from)
    folders = [work.places.home(work.home, day) for day in days]
    truth = {clip: said for folder in folders for clip, said in Day.read(folder).clips.items()}
    policy = load_policy(plan.policy, plan.rules)
    folder = folders[-1] / STORE
    store = ClipStore(folder)
    clock = morning_after(days[-1])
    try:
        signer = Signer.of(Keyring.of_far_end(folder))
        audit = Audit(store.database, signer, (signer.keys.folder / "audit.head",))
        drawn = draw(store, policy, plan.week.seed, audit, lambda: clock, who="loop")
        desk = Desk(store, policy, audit, lambda: clock, random.Random(plan.week.seed))
        clips = _tasks(store)
        for annotator in ANNOTATORS:
            while (task := desk.next_task(annotator)) is not None:
                clip, copy = clips[task.id]
                seconds = _seconds(plan, clip, copy)
                desk.sound(task.id, annotator)
                clock += timedelta(seconds=seconds)
                addressed, word = label_of(plan, clip, copy, truth.get(clip, (False, False)))
                said = Labels(
                    transcript=task.transcript, addressed=addressed, wake_word=word, seconds=round(seconds, 1)
                )
                desk.submit(task.id, annotator, said)
        labels, spent = labels_of(store)
    finally:
        store.close()
    reviewed = Reviewed(drawn.considered, drawn.drawn + drawn.already, labels, spent)
    write_whole(work.file, json.dumps(asdict(reviewed), indent=1).encode())


def label_of(plan: Plan, clip: str, copy: int, truth: tuple[bool, bool]) -> tuple[bool, bool]:
    """The label that somebody gives, whoever it is, in whatever order: each half of it wrong by the stated share."""
    wrong = (luck(plan.week.seed, f"error {kind} {copy}", clip) < plan.error for kind in ("addressed", "word"))
    addressed, word = (said != error for said, error in zip(truth, wrong, strict=True))
    return addressed, word


def _seconds(plan: Plan, clip: str, copy: int) -> float:
    """How long a label takes: about as long as was reported."""
    return REPORTED_SECONDS_PER_CLIP * (0.5 + luck(plan.week.seed, f"pace {copy}", clip))


def _tasks(store: ClipStore) -> Mapping[str, tuple[str, int]]:
    """The clip, and which copy, of each task: what no annotator is told, and these must know to know the truth."""
    with store.database.reading() as session:
        return {
            task: (clip, copy) for task, clip, copy in session.execute(select(TaskRow.id, TaskRow.clip, TaskRow.copy))
        }


def labels_of(store: ClipStore) -> tuple[dict[str, list[Label]], float]:
    """All annotations of a store, by clip, and the seconds they took."""
    found: dict[str, list[Label]] = {}
    spent = 0.0
    for clip, addressed, word, seconds in _rows(store):
        found.setdefault(clip, []).append((addressed, word))
        spent += seconds
    return found, round(spent, 1)


def _rows(store: ClipStore) -> Iterator[tuple[str, bool | None, bool | None, float]]:
    rows = (
        select(AnnotationRow.clip, AnnotationRow.addressed, AnnotationRow.wake_word, AnnotationRow.seconds)
        .join(TaskRow, TaskRow.id == AnnotationRow.task)
        .order_by(AnnotationRow.clip, TaskRow.copy)
    )
    with store.database.reading() as session:
        for row in session.execute(rows):
            yield row.clip, row.addressed, row.wake_word, row.seconds

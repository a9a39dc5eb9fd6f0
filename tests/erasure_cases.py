"""What an order to delete does to everything that is kept of a clip: run on each kind of database by the tests."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sim.cloud.archive import Kept
from sim.cloud.customers import Account
from sim.cloud.order import Order
from sim.cloud.schema import (
    AnnotationRow,
    Base,
    ClipRow,
    DeletionRow,
    EscalationRow,
    ExportFileRow,
    ExportRow,
    MessageRow,
    TaskRow,
    TranscriptRow,
)
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript, Word
from sim.cloud.turn import Body, Message, Situation, Took, Turn
from sim.errors import StoreError
from sim.review.audit import Audit
from sim.review.chain import Entry
from sim.review.deletion import delete
from sim.review.retention import retain
from sim.review.search import search
from sim.review.signer import Signer
from sim.review.statement import is_genuine, statement_of
from tests.uplink_kit import cut, noise
from uplink.keyring import Keyring
from uplink.message import JSON, Part
from wakeword.sound import encode_flac

ANN, BEN = "A0000000001", "A0000000002"
WORDS = "the purple wombat is under the stairs"
SOUND = noise(2_000, seed=5)
MORNING = datetime(2019, 6, 10, 9, tzinfo=UTC)
NOW = datetime(2019, 6, 12, 12, tzinfo=UTC)


@dataclass
class Archive:
    """A store with two customers and everything that there can be of a clip. `sets` is a folder for training sets."""

    folder: Path
    database: str | None = None
    now: datetime = NOW
    sets: Path = field(init=False)

    def __post_init__(self) -> None:
        self.sets = self.folder / "set"
        self.store = self.open()
        self.signer = Signer.of(Keyring.of_far_end(self.folder / "store"))
        self.audit = Audit(self.store.database, self.signer, [self.folder / "audit.head"])
        for number, name, devices in ((ANN, "Ann", ("dot", "lamp")), (BEN, "Ben", ("box",))):
            account = Account(number, name, 45.4, -121.7, None, {device: f"G0{device}" for device in devices})
            self.store.customers.register(account)

    def open(self) -> ClipStore:
        return ClipStore(self.folder / "store", self.database, now=lambda: self.now)

    def clip(self, at: datetime = MORNING, device: str = "dot", words: str = WORDS) -> str:
        """Store a clip that began then, with what was heard in it."""
        parts = parts_at(at, device)
        self.store.add_all(parts)
        self.store.add_transcript(parts[0].clip, Transcript.of((Word(words, 0, 2_000, 0.9),), "test"))
        return parts[0].clip

    def everything(self, clip: str, words: str = WORDS) -> None:
        """Send it on, have somebody listen, write and be upset, and put it into a training set."""
        stored = self.store.clip(clip)
        assert stored is not None
        took = Took(step="body", clip=clip, heard=words, taken_for="the message")
        message = Message(f"{clip}-message", "Frank", Body(clip=clip, begin=0, end=2_000, text=words), (took,))
        self.store.conclude(stored, Turn(Situation(step="confirm", clip=clip, because=(took,)), message=message))
        at = "2019-06-11T00:00:00.000000+00:00"
        name = f"{clip}.flac"
        with self.store.database.writing() as session:
            session.add(TaskRow(id=f"t{clip}", clip=clip, copy=0, policy="p", reason="r", chance=0.5, queue="general",
                                state="done", annotator="carol", taken_until=None))  # fmt: skip
            session.flush()
            session.add(AnnotationRow(task=f"t{clip}", clip=clip, annotator="carol", utc=at, transcript=words,
                                      addressed=True, wake_word=True, kind="upsetting", language="en", speakers=1,
                                      seconds=20.0, listens=2))  # fmt: skip
            session.add(EscalationRow(id=f"e{clip}", task=f"t{clip}", clip=clip, annotator="carol", utc=at, why=words,
                                      procedure="p", assignee="dan", deadline=None, state="open", resolved_utc=None,
                                      note=words))  # fmt: skip
            if session.get(ExportRow, "x") is None:
                session.add(ExportRow(id="x", path=str(self.sets), utc=at, licence="CC0", consent="none"))
                session.flush()
            session.add(ExportFileRow(export="x", file=f"data/{name}", clip=clip))
        (self.sets / "data").mkdir(parents=True, exist_ok=True)
        (self.sets / "data" / name).write_bytes(encode_flac(SOUND))
        table = self.sets / "metadata.csv"
        lines = table.read_text() if table.exists() else "file_name,transcript\n"
        table.write_text(f"{lines}data/{name},{words}\n")

    def delete(self, order: Order) -> dict[str, tuple[str, int]]:
        """Carry out an order, and give state and count of each place."""
        return self.places(delete(self.store, self.audit, order))

    def places(self, deletion: str) -> dict[str, tuple[str, int]]:
        return {each.place: (each.state, each.count) for each in self.store.deletions.places(deletion)}

    def count(self, row: type[Base]) -> int:
        with self.store.database.reading() as session:
            return session.scalars(select(func.count()).select_from(row)).one()

    def left(self, store: ClipStore | None = None) -> list[str]:
        """Where the words or the sound are still to be found."""
        found = search(store or self.store, [WORDS], SOUND)
        assert found.files > 3
        return sorted({hit.place for hit in found.hits})

    def close(self) -> None:
        self.store.close()


def parts_at(at: datetime, device: str = "dot") -> list[Part]:
    """The parts of a clip of `SOUND` that began then."""
    facts: dict[str, JSON] = {"initiator": "wakeword", "word": "alexa", "score": 0.9}
    clip = f"{device}-{at:%Y%m%dt%H%M%S%f}-{0:012d}"
    first, *rest = (replace(part, clip=clip) for part in cut(SOUND, 1_000, device=device))
    return [replace(first, facts=facts), *rest]


def everything_of_a_customer_goes_from_everywhere(archive: Archive) -> None:
    clips = [archive.clip(), archive.clip(MORNING + timedelta(hours=1), "lamp")]
    other = archive.clip(device="box", words="nothing of that")
    for clip in clips:
        archive.everything(clip)
    assert len(archive.left()) >= (4 if archive.store.database.is_file else 8)
    copy = archive.folder / "copy"
    shutil.copytree(archive.folder / "store", copy, ignore=shutil.ignore_patterns("keys"))
    places = archive.delete(Order("customer", "Ann", "all", NOW, ANN))
    unreachable = {"recipients": ("cannot be reached", 2), "listeners": ("cannot be reached", 1)}
    beneath = {"database": ("done" if archive.store.database.is_file else "cannot be reached", 0)}
    assert places == {
        "keys": ("done", 1),
        **dict.fromkeys(("audio", "transcripts", "messages", "tasks", "annotations", "escalations"), ("done", 2)),
        "dialog": ("done", 2),
        "turns": ("nothing there", 0),
        "exports": ("done", 2),
        "wire": ("done", 2),
        "caches": ("nothing there", 0),
        "spools": ("waiting", 2),
        "backups": ("cannot be reached", 0),
        **unreachable,
        **beneath,
    }
    assert [clip.id for clip in archive.store.clips()] == [other]
    for row in (MessageRow, TaskRow, AnnotationRow, ExportFileRow):
        assert archive.count(row) == 0
    with archive.store.database.reading() as session:
        assert {(row.why, row.note, row.state) for row in session.scalars(select(EscalationRow))} == {("", "", "open")}
    assert [path.name for path in archive.sets.rglob("*") if path.is_file()] == ["metadata.csv"]
    assert (archive.sets / "metadata.csv").read_text() == "file_name,transcript\n"
    assert [place for place in archive.left() if f"box/{other}" not in place] == []
    # Of the copy the sound is silent, with the vault as it is now; and nothing was to be heard with that of Ben.
    if archive.store.database.is_file:
        with_vault = ClipStore(copy, vault=archive.folder / "store" / "keys")
        found = search(with_vault, [], SOUND)
        assert {hit.place.split("/")[1] for hit in found.hits if hit.place.startswith("audio")} == {"box"}
        assert found.closed == 6  # two parts of two clips, and two messages
        with pytest.raises(StoreError, match="was destroyed, as somebody asked, or is in another vault"):
            with_vault.audio(clips[0])
        with_vault.close()
    # What comes later has a new key, and can be heard.
    later = archive.clip(NOW + timedelta(seconds=1))
    assert len(archive.store.audio(later)) == len(SOUND)


def what_the_policy_does_not_reach_is_named(archive: Archive) -> None:
    clip = archive.clip()
    archive.everything(clip)
    order = Order("customer", "Ann", "all", NOW, ANN, reaches=("audio",))
    places = archive.delete(order)
    kept = {name for name, (state, count) in places.items() if state == "kept by policy" and count}
    assert kept == {"transcripts", "messages", "annotations", "escalations", "exports"}
    assert (places["audio"], places["keys"], places["tasks"]) == (("done", 1), ("nothing there", 0), ("done", 1))
    with pytest.raises(StoreError, match="was deleted, as somebody asked"):
        archive.store.audio(clip)
    assert archive.store.transcript(clip) is not None
    assert archive.count(AnnotationRow) == 1
    assert not any(place.startswith("audio/") for place in archive.left())
    assert any(place.startswith("messages/") for place in archive.left())
    (shown,) = archive.store.customer_clips(ANN)
    assert (shown.sound, shown.transcript, shown.sent_to) == (False, WORDS, ("Frank",))
    # Who asks again, of somebody who reaches everything, gets it.
    rest = archive.delete(replace(order, at=NOW + timedelta(hours=1), reaches=Order("voice", "", "all", NOW).reaches))
    assert {rest[name] for name in ("transcripts", "messages", "annotations", "exports")} == {("done", 1)}
    assert archive.left() == []


def one_clip_or_a_day_is_all_that_goes(archive: Archive) -> None:
    first, second = archive.clip(), archive.clip(MORNING + timedelta(hours=3))
    next_day = archive.clip(MORNING + timedelta(days=1))
    lamp = archive.clip(device="lamp")
    places = archive.delete(Order("customer", "Ann", "clip", NOW, ANN, clip=first))
    assert (places["audio"], places["keys"]) == (("done", 1), ("nothing there", 0))
    day = Order("command", "root", "day", NOW, ANN, devices=("dot",), day=MORNING.date())
    assert archive.delete(day)["audio"] == ("done", 1)
    assert {clip.id for clip in archive.store.clips()} == {next_day, lamp}
    assert archive.store.clip(second) is None
    # Somebody else's clip is nobody's to delete.
    assert archive.delete(Order("customer", "Ben", "clip", NOW, BEN, clip=lamp))["audio"] == ("nothing there", 0)
    assert archive.store.clip(lamp) is not None


def what_was_kept_long_enough_goes(archive: Archive) -> None:
    old, new = archive.clip(NOW - timedelta(days=100)), archive.clip(NOW - timedelta(days=10))
    other = archive.clip(NOW - timedelta(days=100), "box")
    assert retain(archive.store, archive.audit, NOW, None) == []
    archive.store.customers.keep(ANN, 30)
    (deletion,) = retain(archive.store, archive.audit, NOW, None)
    assert archive.places(deletion)["audio"] == ("done", 1)
    assert archive.places(deletion)["spools"] == ("nothing there", 0)  # it came whole, and no device keeps it so long
    assert {clip.id for clip in archive.store.clips()} == {new, other}
    (deletion,) = retain(archive.store, archive.audit, NOW, 92)
    assert {clip.id for clip in archive.store.clips()} == {new}
    assert archive.store.clip(old) is None
    assert retain(archive.store, archive.audit, NOW, 92) == []
    # And where the transcripts are kept, there is nothing more to do either.
    archive.store.customers.keep(ANN, 5)
    assert len(retain(archive.store, archive.audit, NOW, None, ("audio",))) == 1
    assert retain(archive.store, archive.audit, NOW, None, ("audio",)) == []


def a_training_set_that_is_not_there_is_named(archive: Archive) -> None:
    clip, other = archive.clip(), archive.clip(device="box")
    archive.everything(clip)
    archive.everything(other)
    moved = archive.folder / "moved"
    archive.sets.rename(moved)
    deletion = delete(archive.store, archive.audit, Order("customer", "Ann", "all", NOW, ANN))
    (exports,) = (each for each in archive.store.deletions.places(deletion) if each.place == "exports")
    assert exports.state == "cannot be reached"
    assert f"{archive.sets} is not there" in exports.why
    moved.rename(archive.sets)
    archive.delete(Order("customer", "Ben", "clip", NOW, BEN, clip=other))
    with (archive.sets / "metadata.csv").open() as table:
        assert [row["file_name"] for row in csv.DictReader(table)] == [f"data/{clip}.flac"]


def the_log_and_the_statement_tell_of_it(archive: Archive) -> None:
    clip = archive.clip()
    for who, role in (("carol", "annotator"), ("dan", "lead"), ("carol", "annotator"), ("Ann", "customer")):
        archive.audit.record(Entry(who, role, "listen", clip, ANN), NOW)
    deletion = delete(archive.store, archive.audit, Order("customer", "Ann", "all", NOW, ANN))
    assert archive.places(deletion)["listeners"] == ("cannot be reached", 2)
    (entry,) = (link.entry for link in archive.audit.entries(action="delete"))
    assert (entry.who, entry.role, entry.customer) == ("Ann", "customer", ANN)
    assert entry.details["deletion"] == deletion
    statement = statement_of(archive.store, archive.signer, deletion)
    content = statement["statement"]
    assert isinstance(content, dict)
    assert (content["state"], content["clips"], content["customer"]) == ("done", [clip], ANN)
    assert isinstance(content["places"], list)
    assert len(content["places"]) == 17
    assert is_genuine(statement, archive.signer)
    assert is_genuine(statement, archive.signer.keys.own().public)
    for changed in ({**content, "state": "under way"}, {**content, "places": content["places"][1:]}):
        assert not is_genuine({**statement, "statement": changed}, archive.signer)
    assert archive.audit.verify() is None


def a_customer_sees_his_clips_page_by_page(archive: Archive) -> None:
    clips = [archive.clip(MORNING + timedelta(hours=hour), "dot" if hour % 2 else "lamp") for hour in range(5)]
    archive.clip(device="box")
    archive.everything(clips[3])
    seen: list[Kept] = []
    while page := archive.store.customer_clips(ANN, seen[-1].mark if seen else None, limit=2):
        seen += page
    assert [each.id for each in seen] == clips[::-1]
    assert seen[0].copies == ("the archive", "transcripts")
    everywhere = ("the archive", "transcripts", "the review desk", "annotations", "training sets", "message to Frank")
    assert (seen[1].copies, seen[1].opening["word"]) == (everywhere, "alexa")
    assert archive.store.customer_clips("A9999999999") == []


def a_step_that_fails_is_done_again(archive: Archive) -> None:
    archive.everything(archive.clip())

    def fail(_clips: object) -> int:
        raise StoreError("out of order")

    archive.store.deletions.on_gone.append(fail)
    with pytest.raises(StoreError, match="out of order"):
        archive.store.delete(Order("customer", "Ann", "all", NOW, ANN))
    with archive.store.database.reading() as session:
        (deletion,) = session.scalars(select(DeletionRow.id).where(DeletionRow.state == "under way"))
    assert archive.places(deletion)["caches"][0] == "waiting"
    archive.store.deletions.on_gone.clear()
    archive.now = NOW + timedelta(hours=5)
    assert archive.store.deletions.resume() == 1
    times = {each.place: each.utc[11:13] for each in archive.store.deletions.places(deletion)}
    assert (times["audio"], times["caches"]) == ("12", "17")
    assert archive.left() == []
    assert archive.count(ClipRow) == archive.count(TranscriptRow) == 0


CASES: tuple[Callable[[Archive], None], ...] = (
    everything_of_a_customer_goes_from_everywhere,
    what_the_policy_does_not_reach_is_named,
    one_clip_or_a_day_is_all_that_goes,
    what_was_kept_long_enough_goes,
    a_training_set_that_is_not_there_is_named,
    the_log_and_the_statement_tell_of_it,
    a_customer_sees_his_clips_page_by_page,
    a_step_that_fails_is_done_again,
)

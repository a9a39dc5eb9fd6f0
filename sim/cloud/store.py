"""What the far end keeps: clips, their parts, and what was heard in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import JSON, bindparam, select, text
from sqlalchemy.orm import Session

from sim.cloud import outbox
from sim.cloud.archive import Kept, customer_clips, customer_of
from sim.cloud.bench import Bench
from sim.cloud.claims import Claims
from sim.cloud.customers import Customers
from sim.cloud.database import Database, rows_of
from sim.cloud.deletion import Deleted, is_deleted
from sim.cloud.deletions import Deletions
from sim.cloud.files import Files
from sim.cloud.ingest import Outcome, add_parts
from sim.cloud.keychain import Keychain, Owner, StaleKeyError
from sim.cloud.open_files import close_open_files, part_file
from sim.cloud.order import Order, order_of
from sim.cloud.outbox import Outbox
from sim.cloud.quota import Quota
from sim.cloud.schema import ClipRow, PartRow, TranscriptRow
from sim.cloud.transcript import Transcript, Word
from sim.cloud.turn import Turn
from sim.cloud.vault import Vault
from sim.errors import Refused, StoreError
from uplink import message
from uplink.inventory import MARK_DIGITS, Parts
from uplink.message import Part
from wakeword.sound import Samples, decode_flac


@dataclass(frozen=True)
class Clip:
    """A clip as far as it is stored: samples `begin` to `end` of the stream, in `parts` parts.

    opening, ending: the facts of its first and its last part; empty while that part is missing.
    """

    id: str
    device: str
    begin: int
    end: int
    parts: int
    complete: bool
    opening: Mapping[str, message.JSON]
    ending: Mapping[str, message.JSON]


_NEXT_SERIAL = text(
    "INSERT INTO counters (name, value) VALUES ('serial', :last) ON CONFLICT (name) DO UPDATE SET value = "
    "CASE WHEN counters.value < :floor THEN :last ELSE counters.value + :count END RETURNING value"
)
_SPANS = text('SELECT clip, min(begin), max("end") FROM parts WHERE clip IN :clips GROUP BY clip').bindparams(
    bindparam("clips", expanding=True)
)
_SOUND = text(
    'SELECT device, number, digest, begin, "end" FROM clips JOIN parts ON clip = id '
    "WHERE id = :clip AND complete ORDER BY number"
)
_TRANSCRIPT = text(
    "INSERT INTO transcripts (clip, recognizer, text, words) VALUES (:clip, :recognizer, :text, :words) "
    "ON CONFLICT (clip) DO UPDATE SET recognizer = excluded.recognizer, text = excluded.text, words = excluded.words"
).bindparams(bindparam("words", type_=JSON))
_DEVICE = text("SELECT device FROM clips WHERE id = :clip")


class ClipStore:
    """Durable and idempotent; for any number of threads, and of programs that open the same one.

    Every method raises StoreAwayError while database or files cannot be used. `claims` says who answers what, `shown`
    where it is.
    """

    def __init__(
        self,
        root: Path | str,
        database: str | None = None,
        vault: str | Path | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """Open the store under a folder or fsspec URL; `database` is an SQLAlchemy URL.

        Without it the database is ``store.sqlite`` in the folder. vault: the URL of the keys' own database, or the
        folder in which it is; without it, ``keys`` in the folder. A root that is no folder and has not both raises
        StoreError. now: as for `Deletions`. What an earlier run was to delete, and did not come to, goes now.
        """
        self._files = Files(root)
        if (database is None or vault is None) and self._files.folder is None:
            what, option = ("database", "--database") if database is None else ("vault of keys", "--vault")
            raise StoreError(
                f"the store {self._files.shown} is no folder, so its {what} needs a place of its own; "
                f"name it with {option}"
            )
        folder = self._files.folder or Path()
        self.shown = self._files.shown
        self._database = Database(database or f"sqlite:///{folder / 'store.sqlite'}")
        vault = folder / "keys" if vault is None else vault
        try:
            self.vault = Vault.beside(vault) if isinstance(vault, Path) else Vault(vault)
        except StoreError:
            self._database.close()
            raise
        self.keychain = Keychain(self._database, self.vault)
        self.claims = Claims(self._database)
        self.customers = Customers(self._database)
        self.bench = Bench(self._database)
        self.outbox = Outbox(self._database, self._files, self.keychain)
        self.deletions = Deletions(self._database, self._files, self.vault, now)
        self.quota: Quota | None = None
        """How much it may hold, where somebody set that."""
        try:
            close_open_files(self._database, self._files, self.keychain)
            self.deletions.resume()
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of database and files."""
        self._database.close()
        self.vault.close()
        self._files.close()

    @property
    def files(self) -> Files:
        """Where its sound is."""
        return self._files

    @property
    def database(self) -> Database:
        """Where its facts are, for what else is kept beside them."""
        return self._database

    def add(self, part: Part) -> bool:
        """Keep a part, which is on the disk when this returns; say whether its clip is complete.

        The same part again is taken in silence. Raises Refused where it contradicts what is stored.
        """
        (outcome,) = self.add_all([part])
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def add_all(self, parts: Sequence[Part]) -> list[bool | Refused]:
        """Keep parts as `add` does, in their order, and all at once: none is safe before this returns, then each is.

        Gives of each whether its clip is complete then, or why it is refused. Raises StoreFullError where the quota is
        used up.
        """
        if self.quota is not None:
            self.quota.require_room()
        names = [part_file(part.device, part.clip, part.number, part.digest) for part in parts]
        others: Mapping[str, str] = {}
        while True:
            closed = self._closing(parts, others)
            files = {
                name: closed[part.clip].key.close(part.audio)
                for name, part in zip(names, parts, strict=True)
                if part.audio
            }
            self._files.write_all(files)  # first, so that nobody waits for it
            try:
                with self._database.writing() as session:
                    outcomes = add_parts(session.connection(), parts, closed)
            except StaleKeyError as error:
                self.keychain.drop()
                others = error.clips
            else:
                break
        kept = {name for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, bool)}
        for name in dict.fromkeys(names):
            if name not in kept:  # and so it will be for everybody: what is stored does not go away by itself
                self._files.remove(name)
        if self.quota is not None:
            self.quota.add(sum(len(data) for name, data in files.items() if name in kept))
        if Outcome.DELETED in outcomes:
            self.deletions.sweep()
        # Of a clip that was deleted there is nothing more to send.
        return [True if outcome is Outcome.DELETED else outcome for outcome in outcomes]

    def _closing(self, parts: Sequence[Part], others: Mapping[str, str]) -> dict[str, Owner]:
        """For whom, and with which key, the files of each clip are closed; `others` are clips whose owners are known.

        Of a clip that two devices claim, the first has it.
        """
        owners = self.keychain.owners(part.device for part in parts)
        closed = {part.clip: owners[part.device] for part in reversed(parts)}
        for clip, customer in others.items():
            if customer != closed[clip].customer:
                closed[clip] = Owner(customer, self.keychain.key_of(customer))
        return closed

    def next_serial(self, floor: int, count: int = 1) -> int:
        """Give the first of `count` numbers, each at least `floor` and larger than any given before.

        Also among several programs.
        """
        with self._database.writing() as session:
            last: int = session.execute(
                _NEXT_SERIAL, {"floor": floor, "last": floor + count - 1, "count": count}
            ).scalar_one()
        return last - count + 1

    def clip(self, clip: str) -> Clip | None:
        """Give a clip as far as it is stored; None where nothing of it is."""
        with self._database.reading() as session:
            row = session.get(ClipRow, clip)
            return None if row is None else _describe(row, _parts_of(session, clip))

    def clips(self) -> list[Clip]:
        """Give every clip, ordered by id and so, for each device, by time."""
        with self._database.reading() as session:
            rows = rows_of(session, select(ClipRow).order_by(ClipRow.id))
            return [_describe(row, _parts_of(session, row.id)) for row in rows]

    def unanswered(self) -> list[str]:
        """Give the ids of the clips that are complete and have no transcript."""
        return [claim.clip for claim in self.claims.all()]

    def lengths(self, clips: Iterable[str]) -> dict[str, int]:
        """Give the samples from the begin to the end of each of these clips that is stored."""
        with self._database.reading() as session:
            return {clip: end - begin for clip, begin, end in session.execute(_SPANS, {"clips": list(clips)})}

    def device_of(self, clip: str) -> str:
        """Give the device of a clip of which something is stored."""
        with self._database.reading() as session:
            device: str = session.execute(_DEVICE, {"clip": clip}).scalar_one()
        return device

    def audio(self, clip: str) -> Samples:
        """Give the whole clip, int16[end - begin] at 16 kHz.

        Raises StoreError where a part is missing, was deleted, or its file is no longer what was stored.
        """
        with self._database.reading() as session:
            if is_deleted(session, clip):
                raise StoreError(f"the sound of clip {clip} was deleted, as somebody asked; there is no copy of it")
            rows = session.execute(_SOUND, {"clip": clip}).all()
            parts = [(part_file(device, clip, *part), part[1]) for device, *part, begin, end in rows if end > begin]
        if not rows:
            raise StoreError(f"clip {clip} is not complete; wait for its other parts")
        return np.concatenate([np.zeros(0, np.int16), *(self._samples(*part) for part in parts)])

    def _samples(self, file: str, digest: str) -> Samples:
        audio = self.keychain.open(self._files.read(file), file)
        if hashlib.sha256(audio).hexdigest() != digest:  # a decoder lets some damage pass as other sound
            raise StoreError(f"{file} is damaged in the store; bring it back from a copy")
        return decode_flac(audio)

    def add_transcript(self, clip: str, transcript: Transcript) -> None:
        """Keep what was heard in a clip, which is answered now; a later transcript replaces an earlier one.

        Raises TakenOverError where another receiver has claimed the clip, StoreError where it was deleted meanwhile.
        """
        words = [[word.text, word.begin, word.end, word.confidence] for word in transcript.words]
        row = {"clip": clip, "recognizer": transcript.recognizer, "text": transcript.text, "words": words}
        with self._database.writing() as session:
            self.claims.settle(session, clip)
            # Locked, or a deletion that is under way could end before this, and the transcript would outlive it.
            stored = session.get(ClipRow, clip, with_for_update={"read": True, "key_share": True})
            if stored is None or is_deleted(session, clip, "transcript"):
                raise StoreError(f"clip {clip} was deleted while it was listened to; what was heard is not kept")
            session.execute(_TRANSCRIPT, row)

    def transcript(self, clip: str) -> Transcript | None:
        """Give what was heard in a clip; None where nobody has listened yet."""
        with self._database.reading() as session:
            row = session.get(TranscriptRow, clip)
            return None if row is None else Transcript(row.text, tuple(Word(*w) for w in row.words), row.recognizer)

    def customer_clips(self, number: str, before: tuple[str, str] | None = None, limit: int = 50) -> list[Kept]:
        """Give a page of a customer's clips, the newest first; `before` is the `mark` of the last one seen."""
        with self._database.reading() as session:
            return customer_clips(session, number, before, limit)

    def customer_of(self, clip: str) -> str | None:
        """Give the number of the customer whose clip this is, empty where it is nobody's; None where there is none."""
        with self._database.reading() as session:
            return customer_of(session, clip)

    def delete(self, order: Order) -> str:
        """Take an order to delete, carry it out, and give its id; `deletions` says what became of it.

        It is on the disk before anything goes, and what interrupts it is made good at the next start.
        """
        return self.deletions.give(order).id

    def conclude(self, clip: Clip, turn: Turn, devices: Sequence[str] = ()) -> Deleted | None:
        """Keep what a turn leads to, all in one transaction: where the dialog stands, a message, a deletion.

        devices: whose clips are meant where a whole day is deleted; none takes the one that was spoken to.
        """
        if turn.message is not None:
            self.outbox.keep_sound(clip.device, turn.message, self.audio(turn.message.body.clip))
        with self._database.writing() as session:
            outbox.set_situation(session, clip.device, turn.situation)
            late = turn.message is not None and not outbox.put(session, clip.device, turn.message)
            spoken = None if turn.deletion is None else order_of(turn.deletion, devices)
            deleted = None if spoken is None else self.deletions.begin(session, spoken)
        if turn.message is not None and late:
            self._files.erase_all([outbox.folder(clip.device, turn.message.body.clip)])
        if deleted is not None:
            self.deletions.finish(deleted.id)
        return deleted

    def stock(self, parts: Parts) -> tuple[Parts, frozenset[str]]:
        """Give those of these parts that are stored as they were sent, and those of their clips that are complete."""
        here: dict[str, dict[int, str]] = {}
        complete = set()
        with self._database.reading() as session:
            for clip, marks in parts.items():
                if is_deleted(session, clip):  # there is nothing more to send of it
                    here[clip] = dict(marks)
                    complete.add(clip)
                    continue
                rows = {row.number: row.sealed[:MARK_DIGITS] for row in _parts_of(session, clip)}
                here[clip] = {number: mark for number, mark in marks.items() if rows.get(number) == mark}
                row = session.get(ClipRow, clip)
                if row is not None and row.complete:
                    complete.add(clip)
        return here, frozenset(complete)


def _parts_of(session: Session, clip: str) -> Sequence[PartRow]:
    return rows_of(session, select(PartRow).where(PartRow.clip == clip).order_by(PartRow.number))


def _describe(row: ClipRow, parts: Sequence[PartRow]) -> Clip:
    if not parts:
        raise StoreError(f"the parts of clip {row.id} are gone from the database; bring it back from a copy")
    first, final = parts[0], parts[-1]
    return Clip(
        id=row.id,
        device=row.device,
        begin=first.begin,
        end=final.end,
        parts=len(parts),
        complete=row.complete,
        opening=first.facts if first.number == 0 else {},
        ending=final.facts if final.last else {},
    )

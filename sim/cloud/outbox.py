"""Messages that were sent, each with its sound, and where the dialog with each device stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from sim.cloud.database import Database, rows_of
from sim.cloud.files import Files
from sim.cloud.keychain import Keychain
from sim.cloud.schema import ClipRow, DeletedRow, MessageRow, SituationRow
from sim.cloud.turn import Body, Message, Situation, Took
from sim.errors import StoreError
from wakeword.sound import decode_flac, encode_flac


@dataclass(frozen=True)
class Sent:
    """A message in the outbox, and the device it was spoken to."""

    device: str
    message: Message


class Outbox:
    """Durable and idempotent; every method raises StoreAwayError while database or files cannot be used."""

    def __init__(self, database: Database, files: Files, keys: Keychain) -> None:
        self._database, self._files, self._keys = database, files, keys

    def keep_sound(self, device: str, message: Message, clip: NDArray[np.int16]) -> None:
        """Keep a copy of a message's sound, which is int16[n] of its clip; to be called before `put`."""
        with self._database.reading() as session:
            row = session.get(ClipRow, message.body.clip)
        if row is None:
            raise StoreError(f"clip {message.body.clip} was deleted while its message went out; no copy is kept")
        sound = encode_flac(clip[message.body.begin : message.body.end])
        self._files.write_all(
            {sound_file(device, message.body.clip, message.id): self._keys.key_of(row.customer).close(sound)}
        )

    def all(self) -> list[Sent]:
        """Give every message, ordered by id."""
        with self._database.reading() as session:
            return [_sent(row) for row in rows_of(session, select(MessageRow).order_by(MessageRow.id))]

    def sound(self, message: str) -> NDArray[np.int16]:
        """Give a message's sound, int16[n] at 16 kHz; raises StoreError where there is no such message."""
        with self._database.reading() as session:
            row = session.get(MessageRow, message)
            if row is None:
                raise StoreError(f"there is no message {message}; it was never sent, or it was deleted")
            file = sound_file(row.device, row.clip, row.id)
        return decode_flac(self._keys.open(self._files.read(file), file))

    def situation(self, device: str) -> Situation:
        """Give where the dialog with a device stands."""
        with self._database.reading() as session:
            row = session.get(SituationRow, device)
            return Situation() if row is None else Situation.model_validate(row.situation, strict=False)


def put(session: Session, device: str, message: Message) -> bool:
    """Put a message into the outbox, within a transaction; the same again changes nothing.

    False where its clip was deleted meanwhile: then it is not kept, and its sound must not be either.
    """
    body = message.body
    # Locked, or a deletion that is under way could end before this, and the message would outlive it.
    clip = session.get(ClipRow, body.clip, with_for_update={"read": True, "key_share": True})
    deleted = session.get(DeletedRow, body.clip)
    if clip is None or (deleted is not None and "messages" in deleted.what):
        return False
    session.merge(
        MessageRow(
            id=message.id,
            device=device,
            clip=body.clip,
            recipient=message.to,
            text=body.text,
            begin=body.begin,
            end=body.end,
            because=[took.as_json() for took in message.because],
        )
    )
    return True


def set_situation(session: Session, device: str, situation: Situation) -> None:
    """Remember where the dialog with a device stands, within a transaction."""
    session.merge(SituationRow(device=device, situation=situation.model_dump(mode="json")))


def forget(session: Session, device: str, clips: Collection[str]) -> bool:
    """Take what was heard in clips out of a device's dialog and messages, within a transaction.

    A dialog that was led in one of them ends, as where it stands holds their words: then True. A message that stays
    forgets what it was taken from.
    """
    ended = False
    row = session.get(SituationRow, device)
    if row is not None:
        situation = Situation.model_validate(row.situation, strict=False)
        if {situation.clip, *(took.clip for took in situation.because)} & set(clips):
            row.situation, ended = situation.over().model_dump(mode="json"), True
    for message in rows_of(session, select(MessageRow).where(MessageRow.device == device)):
        if any(took["clip"] in clips and took["heard"] for took in message.because):
            message.because = [{**took, "heard": ""} if took["clip"] in clips else took for took in message.because]
    return ended


def folder(device: str, clip: str) -> str:
    """Where the sounds of the messages in a clip are."""
    return f"messages/{device}/{clip}"


def sound_file(device: str, clip: str, message: str) -> str:
    """Where the sound of a message is."""
    return f"{folder(device, clip)}/{message}.flac"


def _sent(row: MessageRow) -> Sent:
    body = Body(clip=row.clip, begin=row.begin, end=row.end, text=row.text)
    because = tuple(Took.model_validate(took) for took in row.because)
    return Sent(row.device, Message(row.id, row.recipient, body, because))

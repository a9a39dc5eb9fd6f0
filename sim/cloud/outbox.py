"""Messages that were sent, each with its sound, and where the dialog with each device stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from sim.cloud.database import Database
from sim.cloud.files import Files
from sim.cloud.schema import MessageRow, SituationRow
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

    def __init__(self, database: Database, files: Files) -> None:
        self._database, self._files = database, files

    def keep_sound(self, device: str, message: Message, clip: NDArray[np.int16]) -> None:
        """Keep a copy of a message's sound, which is int16[n] of its clip; to be called before `put`."""
        sound = clip[message.body.begin : message.body.end]
        self._files.write_all({_file(device, message.body.clip, message.id): encode_flac(sound)})

    def all(self) -> list[Sent]:
        """Give every message, ordered by id."""
        with self._database.reading() as session:
            return [_sent(row) for row in session.scalars(select(MessageRow).order_by(MessageRow.id))]

    def sound(self, message: str) -> NDArray[np.int16]:
        """Give a message's sound, int16[n] at 16 kHz; raises StoreError where there is no such message."""
        with self._database.reading() as session:
            row = session.get(MessageRow, message)
            if row is None:
                raise StoreError(f"there is no message {message}; it was never sent, or it was deleted")
            file = _file(row.device, row.clip, row.id)
        return decode_flac(self._files.read(file))

    def situation(self, device: str) -> Situation:
        """Give where the dialog with a device stands."""
        with self._database.reading() as session:
            row = session.get(SituationRow, device)
            return Situation() if row is None else Situation.model_validate(row.situation, strict=False)


def put(session: Session, device: str, message: Message) -> None:
    """Put a message into the outbox, within a transaction; the same again changes nothing."""
    body = message.body
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


def set_situation(session: Session, device: str, situation: Situation) -> None:
    """Remember where the dialog with a device stands, within a transaction."""
    session.merge(SituationRow(device=device, situation=situation.model_dump(mode="json")))


def forget(session: Session, device: str, clip: str) -> None:
    """End a dialog that was led in a clip, within a transaction: where it stands holds the words of its clips."""
    row = session.get(SituationRow, device)
    if row is not None:
        situation = Situation.model_validate(row.situation, strict=False)
        if clip in (situation.clip, *(took.clip for took in situation.because)):
            row.situation = situation.over().model_dump(mode="json")


def folder(device: str, clip: str) -> str:
    """Where the sounds of the messages in a clip are."""
    return f"messages/{device}/{clip}"


def _file(device: str, clip: str, message: str) -> str:
    return f"{folder(device, clip)}/{message}.flac"


def _sent(row: MessageRow) -> Sent:
    body = Body(clip=row.clip, begin=row.begin, end=row.end, text=row.text)
    because = tuple(Took.model_validate(took) for took in row.because)
    return Sent(row.device, Message(row.id, row.recipient, body, because))

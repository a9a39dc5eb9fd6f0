"""The statement of a deletion: every place, what became of it and when, signed by the far end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from sim.cloud.schema import DeletionRow
from sim.cloud.store import ClipStore
from sim.errors import StatementError
from sim.review.signer import Signer, verify
from uplink.envelope import canonical
from uplink.keys import PublicKey
from uplink.message import JSON

_KIND = "deletion-statement"
FORM = 1
"""The version of the form; `docs/deletion.md` has its fields."""


def statement_of(store: ClipStore, signer: Signer, deletion: str) -> dict[str, JSON]:
    """Give the signed statement of an order as things stand now; raises StatementError where there is no such order."""
    with store.database.reading() as session:
        row = session.get(DeletionRow, deletion)
        if row is None:
            raise StatementError(f"there is no deletion {deletion[:80]}; misheard review statement lists all")
        content: dict[str, JSON] = {
            "form": FORM,
            "deletion": row.id,
            "customer": row.customer,
            "by": row.by,
            "who": row.who,
            "scope": row.scope,
            "ordered": row.utc,
            "state": row.state,
            "reaches": [*row.reaches],
            "clips": [clip for _, clip in row.clips],
        }
    content["places"] = [
        {"place": each.place, "state": each.state, "utc": each.utc, "count": each.count, "why": each.why}
        for each in store.deletions.places(deletion)
    ]
    return {"statement": content, "signature": signer.sign(_KIND, canonical(content))}


@dataclass(frozen=True)
class Listed:
    """An order as it stands in a list."""

    id: str
    utc: str
    customer: str
    by: str
    scope: str
    state: str


def deletions(store: ClipStore, customer: str | None = None) -> list[Listed]:
    """Give every order, or a customer's, the newest last."""
    rows = select(DeletionRow.id, DeletionRow.utc, DeletionRow.customer, DeletionRow.by, DeletionRow.scope)
    rows = rows.add_columns(DeletionRow.state).order_by(DeletionRow.utc, DeletionRow.id)
    with store.database.reading() as session:
        found = session.execute(rows if customer is None else rows.where(DeletionRow.customer == customer))
        return [Listed(row.id, row.utc, row.customer, row.by, row.scope, row.state) for row in found]


def clips_of(store: ClipStore, deletion: str) -> int:
    """Give how many clips an order meant."""
    with store.database.reading() as session:
        return len(session.get_one(DeletionRow, deletion).clips)


def write(statement: Mapping[str, JSON]) -> str:
    """Give a statement as the text that is handed out."""
    return json.dumps(statement, indent=1, ensure_ascii=False) + "\n"


def read(file: Path) -> dict[str, JSON]:
    """Read a statement; raises StatementError where the file holds none."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise StatementError(f"{file} cannot be read ({error.strerror}); name a file with a statement") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("statement"), dict):
        raise StatementError(f"{file} is no statement; misheard review statement ID --out FILE writes one")
    return found


def is_genuine(statement: Mapping[str, JSON], key: Signer | PublicKey) -> bool:
    """Whether the far end signed exactly this."""
    signature, content = statement.get("signature"), statement["statement"]
    if not isinstance(signature, str) or not isinstance(content, Mapping):
        return False
    written = canonical(content)
    return key.verify(_KIND, written, signature) if isinstance(key, Signer) else verify(key, _KIND, written, signature)

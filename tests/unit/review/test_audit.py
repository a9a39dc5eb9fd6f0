"""The log finds whatever was done to it, by whoever has the database and not the far end's key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from sim.cloud.schema import AuditRow, CounterRow
from sim.errors import AuditError
from sim.review.audit import Audit
from sim.review.chain import Entry, Link
from sim.review.heads import Head, Heads
from sim.review.signer import Signer
from tests.review_kit import Programme
from uplink.keyring import Keyring


@pytest.fixture
def programme(tmp_path: Path) -> Iterator[Programme]:
    made = Programme(tmp_path)
    yield made
    made.close()


def write(programme: Programme, count: int = 6) -> None:
    for number in range(count):
        entry = Entry(
            f"ann-{number}", "annotator", "listen", f"clip-{number}", "A0000000001", {"share": 0.1, "n": number}
        )
        assert programme.audit.record(entry, programme.clock()) == number + 1
        programme.clock.pass_(seconds=1)


def found(programme: Programme) -> str:
    return str(programme.audit.verify())


def rows(programme: Programme) -> list[dict[str, object]]:
    with programme.store.database.reading() as session:
        return [dict(row._mapping) for row in session.execute(select(AuditRow.__table__).order_by(AuditRow.number))]


def rewrite(programme: Programme, table: list[dict[str, object]]) -> None:
    with programme.store.database.writing() as session:
        session.execute(delete(AuditRow))
        session.execute(insert(AuditRow), table)


def chained(table: list[dict[str, object]], signature: Callable[[str], str]) -> list[dict[str, object]]:
    """The table as somebody writes it anew who knows how the hashes are made."""
    made: list[dict[str, object]] = []
    before = "0" * 64
    for number, row in enumerate(table, 1):
        entry = Entry(*(row[name] for name in ("who", "role", "action", "clip", "customer", "details")))  # type: ignore[arg-type]
        link = Link.after(number, str(row["utc"]), entry, before)
        before = link.hash
        made.append({**row, "number": number, "before": link.before, "hash": before, "signature": signature(before)})
    return made


def test_what_nobody_touched_is_whole(programme: Programme) -> None:
    assert programme.audit.verify() is None
    write(programme)
    assert programme.audit.verify() is None
    assert [link.number for link in programme.audit.entries(2, action="listen")] == [3, 4, 5, 6]
    assert [link.number for link in programme.audit.page(6, 2)] == [5, 4]
    assert [link.entry.clip for link in programme.audit.page(who="ann-3")] == ["clip-3"]
    assert next(programme.audit.entries()).entry.details == {"share": 0.1, "n": 0}


@pytest.mark.parametrize(
    "values",
    [
        {"who": "bob"},
        {"role": "lead"},
        {"action": "view"},
        {"clip": None},
        {"customer": "A0000000002"},
        {"utc": "2019-04-10T12:00:03.000001+00:00"},
        {"details": {"share": 0.1, "n": 4}},
        {"before": "0" * 64},
        {"hash": "1" * 64},
    ],
)
def test_a_changed_entry_is_found(programme: Programme, values: dict[str, object]) -> None:
    write(programme)
    with programme.store.database.writing() as session:
        session.execute(update(AuditRow).where(AuditRow.number == 4).values(**values))
    assert found(programme).startswith("entry 4: it was changed")


def test_an_entry_removed_from_the_middle_is_found(programme: Programme) -> None:
    write(programme)
    with programme.store.database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number.in_([3, 4])))
    assert found(programme) == "entry 3: it was removed: there is no entry 3 to 4, though there is one after"


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_entries_removed_from_the_end_are_found(programme: Programme, kept: int) -> None:
    write(programme)
    with programme.store.database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number > kept))
        session.execute(update(CounterRow).where(CounterRow.name == "audit").values(value=kept))
    assert found(programme) == f"entry {kept + 1}: it was removed from the end: entry 6 was there once"
    # And still when others have been written in their place.
    write_on(programme, 8)
    assert found(programme) == "entry 6: the log was written anew: another entry was noted in this place"


def write_on(programme: Programme, count: int) -> None:
    for _ in range(count):
        programme.audit.record(Entry("eve", "auditor", "view"), programme.clock())


def test_two_that_changed_places_are_found(programme: Programme) -> None:
    write(programme)
    table = rows(programme)
    swapped = [*table[:2], {**table[3], "number": 3}, {**table[2], "number": 4}, *table[4:]]
    rewrite(programme, swapped)
    assert found(programme).startswith("entry 3: it was changed")
    # Also by somebody who mends the hashes of the two.
    mended = chained(swapped, lambda _hash: "")[2:4]
    rewrite(programme, [*table[:2], *mended, *table[4:]])
    assert found(programme) == ("entry 5: it does not follow the entry before: one of them was put in another's place")


def test_an_entry_that_was_added_is_found(programme: Programme) -> None:
    write(programme)
    table = rows(programme)
    signed = {str(row["hash"]): str(row["signature"]) for row in table}
    added = chained(
        [*table, {**table[-1], "who": "mallory"}], lambda hash_: signed.get(hash_, str(table[-1]["signature"]))
    )
    rewrite(programme, added)
    assert found(programme).startswith("entry 7: it was added")
    rewrite(programme, chained([table[0], *table], lambda _hash: str(table[0]["signature"])))
    assert found(programme).startswith("entry 6: the log was written anew")


def test_a_log_written_anew_as_a_whole_is_found(programme: Programme, tmp_path: Path) -> None:
    write(programme)
    stranger = Signer.of(Keyring.of_far_end(tmp_path / "mallory"))
    forged = chained(
        [{**row, "who": "nobody"} for row in rows(programme)], lambda hash_: stranger.sign("audit", hash_.encode())
    )
    rewrite(programme, forged)
    assert found(programme) == "entry 6: the log was written anew: another entry was noted in this place"
    # Nor does it help to write the notes anew, or to take them away.
    for file in programme.heads:
        noted = {name: forged[-1][name] for name in ("number", "hash", "signature")}
        file.write_text(json.dumps(noted))
    assert found(programme) == "entry 6: the note of the log's end is not signed by this far end"
    for file in programme.heads:
        file.unlink()
    assert found(programme).startswith("entry 6: it was added, or the log written anew")


def test_one_note_that_is_left_is_enough(programme: Programme) -> None:
    write(programme)
    programme.heads[0].unlink()
    with programme.store.database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number > 4))
    assert found(programme).startswith("entry 5: it was removed from the end")
    programme.heads[1].unlink()
    assert found(programme).startswith("entry 4: nothing is noted of the log's end")


def test_an_old_note_does_not_hide_it_from_who_kept_a_newer_one(programme: Programme) -> None:
    write(programme, 3)
    old = programme.heads[0].read_text()
    write_on(programme, 3)
    kept = programme.audit.head()
    assert kept is not None
    assert kept.number == 6
    with programme.store.database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number > 3))
    for file in programme.heads:
        file.write_text(old)
    assert programme.audit.verify() is None
    assert str(programme.audit.verify([kept])).startswith("entry 4: it was removed from the end")


def test_a_note_is_never_taken_back(tmp_path: Path) -> None:
    heads = Heads([tmp_path / "one", tmp_path / "deep" / "two"])
    for number in (5, 3, 5, 12, 4):
        heads.note(Head(number, f"{number:064}", "key:00"), heads.files)
    assert {head.number for head in heads.all().values()} == {12}
    assert [file.stat().st_size for file in heads.files] == [512, 512]
    (tmp_path / "one").write_text("")  # as a power cut may leave a file that was made just then
    assert [*heads.all()] == [tmp_path / "deep" / "two"]


def test_a_forged_head_accuses_nobody_else(programme: Programme) -> None:
    write(programme)
    fault = programme.audit.verify([Head(9, "0" * 64, "0123456789abcdef:00")])
    assert str(fault) == "entry 9: the note of the log's end is not signed by this far end"


def test_a_counter_that_was_put_back_keeps_nothing_from_being_logged(programme: Programme) -> None:
    write(programme, 3)
    for change in (update(CounterRow).values(value=1), delete(CounterRow)):
        with programme.store.database.writing() as session:
            session.execute(change.where(CounterRow.name == "audit"))
        write_on(programme, 2)
        assert programme.audit.verify() is None
    assert [link.number for link in programme.audit.entries()] == [*range(1, 8)]


def test_what_a_transaction_took_back_is_not_in_it(programme: Programme) -> None:
    write(programme, 2)
    with suppress(RuntimeError), programme.store.database.writing() as session:
        programme.audit.append(session, Entry("ann", "annotator", "label"), programme.clock())
        raise RuntimeError
    write_on(programme, 1)
    assert [link.number for link in programme.audit.entries()] == [1, 2, 3]
    assert programme.audit.verify() is None


def test_several_entries_of_one_transaction_are_noted_at_once(programme: Programme) -> None:
    with programme.store.database.writing() as session:
        for number in (1, 2, 3):
            assert programme.audit.append(session, Entry("ann", "lead", "draw"), programme.clock()) == number
    assert json.loads(programme.heads[1].read_text())["number"] == 3
    assert programme.audit.verify() is None


def test_threads_write_one_chain(programme: Programme) -> None:
    others = [Audit(programme.store.database, programme.signer, programme.heads) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(lambda n: others[n % 4].record(Entry(str(n), "annotator", "listen"), programme.clock()), range(40))
        )
    assert sorted(done) == [*range(1, 41)]
    assert programme.audit.verify() is None


def test_a_key_that_was_replaced_still_counts(programme: Programme) -> None:
    write(programme, 3)
    programme.signer.keys.rotate()
    assert programme.audit.verify() is None
    write_on(programme, 1)
    assert programme.audit.verify() is None


def test_hostile_names_are_held(programme: Programme) -> None:
    hostile = "\0\ud800<script>" + "x" * 5_000
    programme.audit.record(Entry(hostile, "nobody", "login_failed", details={hostile: [hostile]}), programme.clock())
    (link,) = programme.audit.entries()
    assert link.entry.who.startswith("\ufffd?<script>xx")
    assert len(link.entry.who) == 200
    assert programme.audit.verify() is None


def test_notes_that_cannot_be_kept_are_one_sentence(programme: Programme) -> None:
    write(programme, 1)
    programme.heads[1].write_text("{")
    with pytest.raises(AuditError, match=r"is damaged; bring the file back from a copy$"):
        write_on(programme, 1)
    shutil.rmtree(programme.heads[1].parent)
    programme.heads[1].parent.write_text("a file where a folder should be")
    with pytest.raises(AuditError, match=r"the end of the log .*audit\.head"):
        write_on(programme, 1)

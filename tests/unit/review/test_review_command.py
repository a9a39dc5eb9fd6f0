"""``misheard review`` on a store: what it prints, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from sim.cloud.schema import AuditRow
from sim.main import main
from sim.review.desk import Desk
from sim.review.labels import Labels
from sim.review.policy import load_policy
from tests.review_kit import Programme, seeded

EVERYTHING = ["--set", "rate=1", "--set", "double=1"]


@pytest.fixture
def programme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programme]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    made = Programme(tmp_path)
    device = made.customer(1)
    made.clip(device, 0, "alexa call stephanie")
    made.clip(device, 100_000, "a lecture about oak")
    yield made
    made.close()


def run(programme: Programme, *args: str) -> int:
    return main(["review", *args, "--store", str(programme.folder / "store")])


def test_from_a_draw_to_the_log(programme: Programme, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(programme, "sample", "--policy", "2019-august", *EVERYTHING) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2019-august: 2 of 2 clips drawn, 4 tasks",
        "  1 false-wakes: suspected",
        "  1 general: random",
    ]
    policy = load_policy("2019-august")
    desk = Desk(programme.store, policy, programme.audit, programme.clock, seeded())
    for annotator in ("ann", "bob"):
        while (task := desk.next_task(annotator)) is not None:
            wake_word = "alexa" in task.transcript
            desk.submit(task.id, annotator, Labels(transcript="", addressed=wake_word, wake_word=wake_word))
    desk.distress(task_of(programme), "ann", "somebody cried")
    assert run(programme, "queue", "--policy", "2019-august") == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["false-wakes", "0", "0", "2", "0"]
    assert run(programme, "queue", "--policy", "2019-august", "--list") == 0
    listed = capsys.readouterr().out.splitlines()[4:]
    assert [line.split(maxsplit=4)[1:] for line in listed] == [
        *[["done", "false-wakes", "1", "'alexa' is not in what was heard"]] * 2,
        *[["done", "general", "1", "random"]] * 2,
    ]
    assert run(programme, "agreement", "wake_word", "speakers", "--policy", "2019-august") == 0
    assert capsys.readouterr().out.splitlines() == [
        "wake_word  kappa 1.00 (1.00 to 1.00), 100% of 2 pairs agree",
        "speakers   kappa is not defined: one label throughout (2 pairs)",
    ]
    assert run(programme, "escalations") == 0
    name, *_ = capsys.readouterr().out.split()
    assert run(programme, "escalations", "--resolve", name, "--note", "called", "--who", "lea") == 0
    assert "resolved" in capsys.readouterr().out
    assert run(programme, "escalations", "--resolve", name, "--note", "called") == 1
    assert capsys.readouterr().err == f"misheard: escalation {name} was resolved already\n"
    assert run(programme, "audit", "show", "--action", "resolve") == 0
    assert "lea (lead)" in capsys.readouterr().out
    assert run(programme, "audit", "show", "--json", "--after", "1", "--who", "ann") == 0
    first, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["action"], first["customer"]) == ("view", "A0000000001")


def task_of(programme: Programme) -> str:
    """A task that Ann had."""
    entry = next(link.entry for link in programme.audit.entries(who="ann", action="label"))
    return str(entry.details["task"])


def test_verification_by_command(programme: Programme, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(programme, "audit", "verify") == 0
    assert capsys.readouterr().out == "the log is empty\n"
    assert run(programme, "audit", "head", "--out", str(tmp_path / "note")) == 1
    assert run(programme, "sample") == 0
    assert run(programme, "audit", "head", "--out", str(tmp_path / "note")) == 0
    assert run(programme, "audit", "verify", "--head", str(tmp_path / "note")) == 0
    assert capsys.readouterr().out.endswith("as it was written, from entry 1 to 1\n")
    # It is noted away from the store, too.
    assert len(list((tmp_path / "state").rglob("*.head"))) == 1
    assert run(programme, "audit", "verify", "--head", str(tmp_path / "none")) == 1
    assert "there is no" in capsys.readouterr().err
    with programme.store.database.writing() as session:
        session.execute(update(AuditRow).values(who="nobody"))
    assert run(programme, "audit", "verify") == 1
    assert capsys.readouterr().out == "entry 1: it was changed: its content is not what its hash was made of\n"


def test_exposure_by_command(programme: Programme, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(programme, "exposure", "--out", str(tmp_path / "out")) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines()[1:9])) <= 80
    assert "2 clips: 2 could be linked to a person by what stands beside them, 1 by what they say themselves" in shown
    assert run(programme, "exposure", "--json") == 0
    written = json.loads((tmp_path / "out" / "exposure-2019-april.json").read_text())
    assert json.loads(capsys.readouterr().out) == written
    assert written["facts"][0] == {
        "fact": "account number",
        "customer": "A0000000001",
        "clips": 2,
        "deleted": 0,
        "drawn": 0.004,
        "chance": 0.003996,
        "people": 0,
        "times": 0,
    }
    for number in range(2, 25):
        programme.rows(programme.customer(number), 1)
    assert run(programme, "exposure", "--policy", "deidentified") == 0
    assert "24 customers" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    assert run(programme, "exposure", "--out", str(tmp_path / "file")) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["sample", "--policy", "2018"], 2, "there is no review policy or file called 2018"),
        (["sample", "--set", "rate=7"], 2, "--set rate=7: rate is 7, but should be less than or equal to 1"),
        (["agreement", "loudness"], 1, "there is no label loudness"),
        (["escalations", "--resolve", "x", "--note", "y"], 1, "there is no escalation x"),
    ],
)
def test_bad_input_is_one_sentence(
    programme: Programme, capsys: pytest.CaptureFixture[str], args: list[str], code: int, told: str
) -> None:
    assert run(programme, *args) == code
    error = capsys.readouterr().err
    assert error.startswith(f"misheard: {told}")
    assert error.count("\n") == 1


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "queue", "--store", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.startswith(f"misheard: there is no store in {tmp_path / 'none'}; name one with")
    assert not (tmp_path / "none").exists()

"""The exposure report of evenings that were really played: `portland` under two policies, and a partial deletion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.cloud.store import ClipStore
from sim.main import main
from sim.review.desk import Desk
from sim.review.options import audit_of
from sim.review.policy import load_policy
from sim.review.signer import Signer
from tests.review_kit import Clock, seeded
from uplink.keyring import Keyring


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def report(store: Path, policy: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["review", "exposure", "--store", str(store), "--policy", policy, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def listen_to_everything(store: Path, policy: str) -> None:
    """Two people listen to whatever was drawn."""
    clips = ClipStore(store)
    audit = audit_of(clips, Signer.of(Keyring.of_far_end(store)))
    desk = Desk(clips, load_policy(policy), audit, Clock(), seeded())
    for annotator in ("ann", "bob"):
        while (task := desk.next_task(annotator, desk.held(annotator))) is not None:
            desk.sound(task.id, annotator)
    clips.close()


def test_portland_under_two_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    assert main(["sim", "portland", "--store", str(store), "--out", str(tmp_path / "run")]) == 0
    eyes: dict[str, dict[str, tuple[int, int]]] = {}
    for policy in ("2019-april", "deidentified"):
        told = report(store, policy, capsys)
        chances = {row["chance"] for row in told["facts"] if row["fact"] in ("voice", "words")}
        assert chances == {round(1 - 0.998**4, 6)}  # of four clips, at the policy's rate
        draw = ["review", "sample", "--store", str(store), "--policy", policy, "--set", "rate=1", "--set", "double=1"]
        assert main(draw) == 0
        listen_to_everything(store, policy)
        told = report(store, policy, capsys)
        eyes[policy] = {row["fact"]: (row["clips"], row["people"]) for row in told["facts"]}
        assert told["linked"]["beside"] == (4 if policy == "2019-april" else 0)
        assert told["linked"]["by_words"] >= 1  # Stephanie, who was heard
    beside = dict.fromkeys(("account number", "first name", "device serial"), (4, 2))
    said = {"voice": (4, 2), "words": (4, 2), "name said": (eyes["deidentified"]["name said"][0], 2)}
    assert eyes == {"2019-april": beside | said, "deidentified": said}
    assert main(["review", "audit", "verify", "--store", str(store)]) == 0


def test_what_a_partial_deletion_left_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    assert main(["sim", "delete-today", "--store", str(store), "--out", str(tmp_path / "run")]) == 0
    told = report(store, "2019-april", capsys)
    (words,) = [row for row in told["facts"] if row["fact"] == "words"]
    assert (words["clips"], words["deleted"], words["chance"]) == (3, 3, 0.0)
    assert "voice" not in {row["fact"] for row in told["facts"]}
    (kept,) = told["kept"]
    assert (kept["what"], kept["count"], kept["customer"]) == ("transcript", 3, words["customer"])
    assert main(["review", "sample", "--store", str(store), "--set", "rate=1"]) == 0
    assert "0 of 0 clips drawn" in capsys.readouterr().out
    # The same evening where everything is reached.
    whole = tmp_path / "whole"
    reaches = "cloud.deletion.reaches=[audio, transcripts, messages]"
    out = ["--store", str(whole), "--out", str(tmp_path / "again")]
    assert main(["sim", "delete-today", "--set", reaches, *out]) == 0
    told = report(whole, "2019-april", capsys)
    assert (told["clips"], told["facts"], told["kept"]) == (0, [], [])

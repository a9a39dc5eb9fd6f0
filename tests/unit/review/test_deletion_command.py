"""``misheard review delete``, ``retain``, ``statement`` and ``search``: what they print, and how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sim.main import main
from tests.erasure_cases import ANN, BEN, MORNING, SOUND, WORDS, Archive
from wakeword.sound import encode_flac


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")
    made = Archive(tmp_path)
    yield made
    made.close()


def run(archive: Archive, *args: str) -> int:
    return main(["review", *args, "--store", str(archive.folder / "store")])


def test_from_a_deletion_to_a_statement_that_can_be_verified(
    archive: Archive, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    clip = archive.clip()
    archive.everything(clip)
    assert run(archive, "search", "PURPLE Wombat") == 0
    assert "store.sqlite-wal at byte" in capsys.readouterr().out
    assert run(archive, "search", "--clip", clip) == 0
    assert "the sound, closed with a key that is there" in capsys.readouterr().out
    assert run(archive, "delete", "--customer", ANN, "--all") == 0
    told = capsys.readouterr().out
    deletion = told.split()[1].rstrip(":")
    assert f"deletion {deletion}: 1 clip\n" in told
    assert "recipients" in told
    assert "these messages are with those to whom they were sent" in told
    assert run(archive, "statement") == 0
    assert capsys.readouterr().out.startswith(f"{deletion}  ")
    file, key = tmp_path / "statement.json", tmp_path / "store" / "keys" / "far-end.pub"
    assert run(archive, "statement", deletion, "--out", str(file)) == 0
    assert json.loads(file.read_text())["statement"]["clips"] == [clip]
    assert run(archive, "statement", "verify", str(file)) == 0
    assert run(archive, "statement", "verify", str(file), "--key", str(key)) == 0
    file.write_text(file.read_text().replace('"customer": "A', '"customer": "B'))
    capsys.readouterr()
    assert run(archive, "statement", "verify", str(file)) == 1
    assert capsys.readouterr().out == "the far end did not sign this, or it was changed since\n"
    sound = tmp_path / "sound.flac"
    sound.write_bytes(encode_flac(SOUND))
    assert run(archive, "search", WORDS, "--sound", str(sound)) == 0
    assert capsys.readouterr().out.startswith("found nowhere, in ")


def test_days_clips_and_devices(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = archive.clip(), archive.clip(MORNING + timedelta(hours=12))
    lamp = archive.clip(device="lamp")
    # 9 and 21 o'clock in Greenwich are both of the 10th there, and not in Auckland, which is 12 hours ahead.
    assert run(archive, "delete", "--device", "dot", "--day", "2019-06-10", "--zone", "Pacific/Auckland") == 0
    assert {clip.id for clip in archive.store.clips()} == {second, lamp}
    assert run(archive, "delete", "--customer", ANN, "--clip", lamp, "--config", "2019") == 0
    out = capsys.readouterr().out
    assert "kept by policy" in out
    assert archive.store.transcript(lamp) is not None
    assert archive.store.clip(first) is None


def test_what_was_kept_long_enough_goes(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    archive.clip()
    assert run(archive, "retain") == 0
    assert capsys.readouterr().out == "nothing has been kept long enough to go\n"
    assert run(archive, "retain", "--keep", "3-months") == 0
    assert "1 clip\n" in capsys.readouterr().out
    assert archive.store.clips() == []


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("delete", "--customer", "A1", "--all"), 1, "no customer has the number A1"),
        (("delete", "--device", "tv", "--all"), 1, "no device is called tv; name one that has sent something"),
        (("delete", "--customer", BEN, "--clip", "dot-1"), 1, f"{BEN} has no clip dot-1; nothing was deleted"),
        (("delete", "--customer", BEN, "--day", "today"), 2, "--day today is no day; write it as 2019-06-10"),
        (("delete", "--customer", BEN, "--all", "--zone", "Moon"), 2, "no time zone is called Moon"),
        (("retain", "--keep", "long"), 2, "--keep long is not how long clips can be kept; say 3-months, 18-months"),
        (("statement", "nothing"), 1, "there is no deletion nothing; misheard review statement lists all"),
        (("statement", "verify"), 1, "name the file: misheard review statement verify FILE"),
        (("statement", "verify", "no.json"), 1, "no.json cannot be read (No such file or directory)"),
        (("statement", "check", "no.json"), 1, "there is no command check for a file; verify is the only one"),
        (("search",), 2, "there is nothing to search for; name words, --clip ID or --sound FILE"),
        (("search", "--clip", "x", "--sound", "y"), 2, "--clip and --sound cannot both be the sound"),
        (("search", "--clip", "dot-1"), 1, "clip dot-1 is not complete"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    archive: Archive, args: tuple[str, ...], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(archive, *args) == code
    error = capsys.readouterr().err
    assert error.startswith("misheard: ")
    assert told in error
    assert error.count("\n") == 1

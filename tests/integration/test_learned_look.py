"""A learned second look in whole plays, from what people say to what leaves the home: on shipped speech."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.cloud.recognizer_process import RecognizerProcess
from sim.cloud.settings import VerifierSettings
from sim.cloud.verifier import opening_of
from sim.errors import VerifierError
from sim.main import main
from sim.play.play import rehearse
from sim.play.setup import prepare
from tests.firmware_kit import hear
from tests.verifier_kit import NEW_CALLS, NEW_OTHERS, line, opened, plain_firmware, verifier_file


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return verifier_file(tmp_path_factory.mktemp("verifier"))


def outcome(scenario: str, *overrides: tuple[str, str]) -> dict[str, Any]:
    return rehearse(prepare(scenario, overrides=[*overrides, ("cloud.ears.recognizer", "none")]))


def test_on_the_device_it_keeps_a_kitchen_from_being_sent(file: Path) -> None:
    before, after = outcome("kitchen-unacceptable"), outcome("kitchen-unacceptable", ("wake.verifier", str(file)))
    assert before["false_wakes"] == 2
    assert (after["false_wakes"], after["uploaded_s"]) == (0, 0)


def test_at_the_far_end_it_stops_what_the_device_began(file: Path) -> None:
    before = outcome("kitchen-unacceptable")
    after = outcome("kitchen-unacceptable", ("cloud.verifier", f"{{method: learned, model: {file}}}"))
    assert (after["false_wakes"], after["verified"]) == (2, False)
    assert 0 < after["uploaded_s"] < before["uploaded_s"] / 2


def test_calls_are_answered_as_before(file: Path) -> None:
    before = outcome("true-commands")
    on_device = outcome("true-commands", ("wake.verifier", str(file)))
    at_far_end = outcome("true-commands", ("cloud.verifier", f"{{method: learned, model: {file}}}"))
    assert on_device == before
    assert at_far_end == {**before, "verified": True}


def test_a_live_far_end_looks_in_its_other_process(file: Path) -> None:
    process = RecognizerProcess("none", verifier=VerifierSettings(method="learned", model=file))
    try:
        for text, passes in ((NEW_CALLS[0], True), (NEW_OTHERS[0], False)):
            clip, facts, begin, sound = opened(hear(plain_firmware(), line(text)))
            opening = opening_of(clip, facts, begin, sound, whole=True)
            assert opening is not None
            verdict = process.look(opening)
            assert verdict is not None
            assert verdict.passed == passes
    finally:
        process.close()


def test_a_live_far_end_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "v.npz").write_bytes(b"none")
    with pytest.raises(VerifierError, match=r"verifier\.model: .*v\.npz is no verifier"):
        RecognizerProcess("none", verifier=VerifierSettings(method="learned", model=tmp_path / "v.npz"))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("wake.verifier={file}", "wake.verifier: {file} is no verifier"),
        ("wake.verifier={file}.not", "wake.verifier: the verifier {file}.not cannot be read"),
        ("cloud.verifier={{method: learned, model: {file}}}", "verifier.model: {file} is no verifier"),
        ("cloud.verifier.method=learned", "method learned and a model go together"),
        ("cloud.verifier.model={file}", "method learned and a model go together"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(
    setting: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "v.npz"
    file.write_bytes(b"none")
    assert main(["sim", "true-commands", "--out", str(tmp_path / "run"), "--set", setting.format(file=file)]) == 2
    error = capsys.readouterr().err
    assert told.format(file=file) in error
    assert error.count("\n") == 1

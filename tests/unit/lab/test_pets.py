"""The study's figures from its data, where it is there, and the reading of it from a small copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import LabError
from sim.lab.pets.counts import SETTINGS, Setting, cells, distinct, durations, merged, per_device_day
from sim.lab.pets.data import FILES, PASSES, REPLAYS, Activation, read_study
from sim.lab.pets.repeat import Repeated, classes, repeated
from sim.lab.pets.report import study_report

ONE, OTHER = "[S1.Ep1] Homes - The Floor", "[S1.Ep2] Homes - The Wall"


def mini(root: Path, *, camera: str = "", replays: str = "", material: str = "") -> Path:
    """A study of two episodes of half an hour, in which something was seen in pass 1a alone."""
    source = root / "data" / "source-material"
    source.mkdir(parents=True)
    (source / "duration-by-episode.txt").write_text(f"1800.0 {ONE}\n1800.5 {OTHER}\n")
    (source / "wordcount-by-episode.txt").write_text(f"3000 {ONE}\n2000 {OTHER}\n3437 test\n{material}")
    for (testbed, way), (folder, name) in FILES.items():
        for number in PASSES:
            path = root / "data" / "misactivations" / folder / name.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            seen = camera if (testbed, way, number) == ("us", "camera", "1a") else ""
            path.write_text(f"/opt/capture/final{number}/{ONE}/capture.mkv:Devices with corresponding times\n{seen}")
    root.joinpath("data", "misactivations", *REPLAYS).write_text(replays)
    return root


def test_activations_are_merged_within_five_seconds_and_too_long_ones_dropped(tmp_path: Path) -> None:
    lights = ("echodot:(10, 11)", "echodot:(16, 18)", "echodot:(24, 24)", "t-echodot:(12, 12)", "echodot:(100,800)")
    seen = "\n".join([*lights, "echodot:(-1, -1)", ""])
    study = read_study(mini(tmp_path, camera=seen))
    found = distinct(study, Setting("echodot", 1))
    assert [(each.begin_s, each.end_s) for each in found] == [(10, 18), (24, 24)]
    assert merged(reversed(found)) == found
    every, homes = cells(study, Setting("echodot", 1))
    assert (every.show, homes.show, homes.events) == ("", "Homes", 2)
    assert homes.hours == pytest.approx(3600.5 / 3600)
    assert homes.per_10000_words == pytest.approx(4.0)
    assert durations(study) == {0: 2, 8: 1}
    assert per_device_day(study).activations == 3


def test_replays_count_where_the_device_woke_about_when_it_had(tmp_path: Path) -> None:
    block = f"/c/finalr/{ONE}_echodot_00100_00101_echodot_camera1-{{}}/capture.mkv:Devices\n{{}}"
    seen = ["echodot:(21, 22)\n"] * 8 + ["echodot:(2, 3)\n", "homepod:(20, 20)\n"]
    replays = "".join(block.format(number, line) for number, line in enumerate(seen, 1))
    study = read_study(mini(tmp_path, camera="echodot:(100, 101)\n", replays=replays))
    (found,) = repeated(study, Setting("echodot", 1))
    assert (found.woke, found.passes, found.repeatability) == (9, 12, "high")
    assert repeated(study, Setting("echodot", 2)) == []


def test_classes_have_bounds_and_intervals() -> None:
    kinds = [Repeated("", 0, woke, 12).repeatability for woke in (1, 3, 4, 8, 9, 12)]
    assert kinds == ["low", "low", "medium", "medium", "high", "high"]
    low, medium, high = classes(Repeated("", 0, woke, 12) for woke in (1, 2, 3, 9))
    assert (low.events, medium.events, high.events) == (3, 0, 1)
    assert medium.interval.low == 0
    assert low.interval.low < 0.75 < low.interval.high


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"camera": "echodot: (10, 11)\n"}, "1a-filtered.txt, line 2: 'echodot: \\(10, 11\\)' is no activation"),
        (
            {"camera": "/c/final1a/[S9.Ep9] Others/capture.mkv:\n"},
            "line 2: \\[S9.Ep9\\] Others is none of the material",
        ),
        ({"replays": "/c/finalr/nothing/capture.mkv:\n"}, "line 1: nothing is no replay"),
        ({"material": "many words\n"}, "wordcount-by-episode.txt, line 4"),
        ({"material": "7 [S9.Ep9] Others\n"}, "has a duration or a word count and not both"),
    ],
)
def test_a_damaged_copy_is_named_with_its_line(change: dict[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=told):
        read_study(mini(tmp_path, **change))


def test_a_folder_without_the_data_is_none(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="holds no PETS 2020 data"):
        read_study(tmp_path)


def test_of_lights_that_overlap_the_longest_end_counts() -> None:
    lights = [Activation(ONE, "echodot", 10, 20), Activation(ONE, "echodot", 12, 13)]
    assert merged(lights) == [Activation(ONE, "echodot", 10, 20)]


def test_the_published_figures_come_out(shared_data: Path) -> None:
    report = study_report(read_study(shared_data / "pets2020"))
    setting, most = report.maximum
    assert (setting.label, most.show, most.events) == ('Echo Dot 2 "Echo"', "Riverdale", 10)
    assert round(most.per_hour, 3) == 0.948
    assert round(most.per_10000_words, 3) == 1.434
    assert round(report.per_day["us"].per_day, 2) == 3.13
    low, high = report.per_day["us"].interval
    assert 2.4 < low < 3.13 < high < 3.9
    # Two heaps, and a valley of hardly anything between them.
    assert report.short.share == pytest.approx(0.552, abs=0.001)
    assert report.long.share == pytest.approx(0.282, abs=0.001)
    assert sum(report.durations.get(second, 0) for second in (3, 4)) < 12
    assert sum(each.events for line in report.lines[:8] for each in line.classes) == 245
    assert len(report.lines) == len(SETTINGS)

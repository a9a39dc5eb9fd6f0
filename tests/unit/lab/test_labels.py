from __future__ import annotations

import itertools
import re

from sim.lab.labels import Mark, Recording, Tier, audacity, rttm, textgrid

EVENING = Recording(
    "two devices",
    32_000,
    (
        Tier("ann", (Mark(0, 8_000, 'She said "no".'), Mark(16_000, 24_000, "Yes,\nyes.")), speaker=True),
        Tier("tv", (Mark(4_000, 12_000, "News."), Mark(6_000, 20_000, "More.")), speaker=True),
        Tier("wake", (Mark(9_000, 9_000, "alexa 0.61"),)),
    ),
)


def test_audacity_takes_times_in_seconds_and_one_line_each() -> None:
    lines = audacity(EVENING).splitlines()
    assert lines[0] == '0.000000\t0.500000\tann: She said "no".'
    assert lines[3] == "0.562500\t0.562500\twake: alexa 0.61"
    assert lines[4] == "1.000000\t1.500000\tann: Yes, yes."
    assert all(len(line.split("\t")) == 3 for line in lines)


def test_rttm_has_ten_fields_a_turn_and_nothing_that_nobody_says() -> None:
    lines = rttm(EVENING).splitlines()
    assert lines[1] == "SPEAKER two_devices 1 0.250 0.500 <NA> <NA> tv <NA> <NA>"
    assert len(lines) == 4
    assert all(len(line.split()) == 10 for line in lines)


def parsed(text: str) -> list[tuple[str, str, list[tuple[float, ...]], list[str]]]:
    """Tiers of a TextGrid: class, name, times and texts, read by what stands in it."""
    tiers = []
    for item in re.split(r"item \[\d+\]:", text)[1:]:
        kind = re.search(r'class = "(\w+)"', item)
        name = re.search(r'name = "(.*)"', item)
        assert kind is not None
        assert name is not None
        body = re.split(r"(?:intervals|points) \[\d+\]:", item)[1:]
        times = [tuple(float(t) for t in re.findall(r"(?:xmin|xmax|number) = ([\d.]+)", each)) for each in body]
        texts = [re.findall(r'(?:text|mark) = "(.*)"', each)[0].replace('""', '"') for each in body]
        told = re.search(r"(?:intervals|points): size = (\d+)", item)
        assert told is not None
        assert int(told[1]) == len(body)
        tiers.append((kind[1], name[1], times, texts))
    return tiers


def test_a_textgrid_is_filled_without_gap_or_overlap() -> None:
    tiers = parsed(textgrid(EVENING))
    assert [(kind, name) for kind, name, *_ in tiers] == [
        ("IntervalTier", "ann"),
        ("IntervalTier", "tv"),
        ("IntervalTier", "tv"),  # what overlaps goes on in another
        ("TextTier", "wake"),
    ]
    for kind, _, times, _ in tiers:
        if kind == "IntervalTier":
            assert times[0][0] == 0
            assert times[-1][1] == 2.0
            assert all(one[1] == other[0] for one, other in itertools.pairwise(times))
    assert tiers[0][3] == ['She said "no".', "", "Yes, yes.", ""]
    assert (tiers[3][2], tiers[3][3]) == ([(0.5625,)], ["alexa 0.61"])


def test_a_recording_with_nothing_in_it_is_still_one() -> None:
    empty = Recording("empty", 16_000, (Tier("ann", ()),))
    assert audacity(empty) == rttm(empty) == ""
    ((kind, _, times, _),) = parsed(textgrid(empty))
    assert (kind, times) == ("IntervalTier", [(0.0, 1.0)])

"""Policies are data, and one that cannot be is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import PolicyError
from sim.review.policy import load_policy, shipped_policies


def test_what_ships() -> None:
    assert shipped_policies() == ["2019-april", "2019-august", "apple-2019", "coordinates", "deidentified", "none"]
    for name in shipped_policies():
        policy = load_policy(name)
        assert policy.name == name
        assert policy.tells
        assert policy.rate <= 0.002  # "a small fraction of 1 %", 0.2 %
    april, august = load_policy("2019-april"), load_policy("2019-august")
    assert april.facts == ("account number", "first name", "device serial")
    assert (april.procedure, august.procedure) == ("not our job", "goes to lead within 24 h")
    assert load_policy("coordinates").facts == ("account number", "device serial", "coordinates")
    assert load_policy("deidentified").facts == ()


@pytest.mark.parametrize(
    ("name", "refusals"),
    [
        ("2019-april", {None: None, "in": None, "out": None}),
        ("2019-august", {None: None, "in": None, "out": "opted out"}),
        ("apple-2019", {None: "never opted in", "in": None, "out": "opted out"}),
        ("none", dict.fromkeys((None, "in", "out"), "nobody listens under this policy")),
    ],
)
def test_whom_people_may_listen_to(name: str, refusals: dict[str | None, str | None]) -> None:
    policy = load_policy(name)
    assert {choice: policy.refusal(choice) for choice in refusals} == refusals


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("rate", "2", "--set rate=2: rate is 2, but should be less than or equal to 1"),
        ("raet", "0.1", "--set raet=0.1: there is no setting raet; did you mean rate?"),
        ("strata", "{loud: 1}", "--set strata={loud: 1}: strata.loud is "),
        ("customers", "0.001", "rate is 0.002: is more than all clips of 0.001 of the customers"),
        ("shows", "[shoe size]", "--set shows=[shoe size]: shows"),
        ("distress", "{assignee: lea}", "--set distress={assignee: lea}: distress.deadline_h is missing"),
        ("consent", "maybe", "--set consent=maybe: consent is \"maybe\", but should be 'everybody', 'opt-out'"),
        ("take_minutes", "0", "take_minutes is 0, but should be greater than 0"),
    ],
)
def test_what_cannot_be_is_one_sentence(key: str, value: str, told: str) -> None:
    with pytest.raises(PolicyError) as raised:
        load_policy("2019-april", [(key, value)])
    assert told in str(raised.value)
    assert raised.value.exit_code == 2
    assert "\n" not in str(raised.value)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nrate: 0.1\nconsent: opt-in\nshows: [coordinates]\nstrata: {false-wakes: 1}\n")
    policy = load_policy(file)
    assert policy.facts == ("coordinates",)
    assert [policy.rate_of(queue) for queue in ("false-wakes", "low-confidence", "general")] == [1.0, 0.0, 0.0]
    with pytest.raises(PolicyError, match="no review policy or file called 2019; the policies are 2019-april, 2019"):
        load_policy("2019")

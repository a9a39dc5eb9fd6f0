from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console_kit import PEOPLE, House, open_house
from tests.review_kit import Programme

EVIL = "<script>document.title='taken'</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A console with two customers, two clips of each, and a task for each clip."""
    kit = Programme(tmp_path)
    kit.customer(1, "Ann")
    kit.customer(2, EVIL)
    for number in range(2):
        kit.clip("dot-1", begin=number * 1_000_000, text="alexa play a song")
        kit.clip("dot-2", begin=number * 1_000_000, text=EVIL)
    house = House(kit, overrides=(("rate", "1.0"), ("distress", "{assignee: max, deadline_h: 24}")))
    house.people(**PEOPLE)
    assert house.draw() == 4
    with open_house(house):
        yield house
    kit.close()

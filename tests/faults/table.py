"""The fault table: one row for each thing that was broken, as the run produced it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.ledger import Account

_HEAD = (
    "what was broken",
    "broker",
    "times",
    "clips accepted",
    "in the store, bit for bit",
    "named in the drop report",
    "parts accepted",
    "parts in the store",
)


@dataclass
class Table:
    """Rows in the order in which they came."""

    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, what: str, broker: str, times: int, account: Account) -> None:
        """Add what became of the clips after something was broken so many times."""
        torn = f" and {account.torn} torn" if account.torn else ""
        counts = (account.stored, account.dropped, account.parts, account.parts_stored)
        self.rows.append((what, broker, str(times), f"{account.clips}{torn}", *map(str, counts)))

    def __str__(self) -> str:
        lines = [_HEAD, tuple("---" for _ in _HEAD), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def write(self, path: Path, command: str, seed: int) -> None:
        """Write the page that has the table."""
        path.write_text(_PAGE.format(table=self, command=command, seed=seed), "utf-8")


_PAGE = """# What was broken, and what was lost

Made by `{command}`, with the seed {seed}; each row is a test in `tests/faults`, which fails when a clip is missing.

{table}

*Accepted*: `submit` had returned for the clip's last part; of a *torn* clip it had for some, then the device was
killed. Their parts are held to the same and count under parts. Each part is compared byte by byte with what was
submitted, each whole clip sample by sample with what the store gives back, and no part may be there twice.
A device submits as fast as the far end takes parts; moments and faults are drawn from the seed.
"""

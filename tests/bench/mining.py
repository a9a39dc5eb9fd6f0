"""Mining from end to end: candidates ranked, said by four voices, confirmed, and all written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row

VOICES = ("flite:slt", "flite:rms", "flite:awb", "flite:kal16")
COMMAND = [sys.executable, "-c", "import sys; from sim.main import main; sys.exit(main())", "lab", "mine", "alexa"]
"""`misheard lab mine`, by this very Python."""


def row(effort: Effort, saying: Row) -> Row:
    """Measure once, on all processors; half of the candidates are words, half pairs of them.

    saying: what a candidate in a voice costs, of which its peer is reckoned.
    """
    what = f"mine, {effort.mined or 1000:,} candidates in four voices, end to end"
    if saying.theirs is None or not effort.mined:
        return Row(what, remark=saying.remark if saying.theirs is None else "skipped: it takes minutes")
    half, tenth, cores = str(effort.mined // 2), str(effort.mined // 10), len(os.sched_getaffinity(0))
    asked = ["--words", half, "--pairs", half, "--spread", "0", "--confirm", tenth, "--workers", str(cores)]
    asked += [each for voice in VOICES for each in ("--voice", voice)]
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [*COMMAND, *asked, "--out", str(Path(folder) / "out")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ours = Figure(((time.perf_counter() - began) / 60,))
    theirs = Figure((effort.mined * len(VOICES) * saying.theirs.median / cores / 60_000,))
    peer = "the packages themselves, reckoned of the row above, nothing ranked or confirmed"
    remark = f"{cores} processes, the surest tenth confirmed in sentences and replays"
    return Row(what, "minutes", ours, peer, theirs, theirs.over(ours), remark=remark)

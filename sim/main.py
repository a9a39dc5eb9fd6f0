"""The console command `misheard`: finds the sub-command and turns errors into one sentence."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import device.command
import device.doctor.command
import device.home.command
import device.home.wyoming_command
import device.mic_check_command
import device.service.command
import sim.cloud.command
import sim.cloud.models.command
import sim.command
import sim.console.command
import sim.lab.command
import sim.report.command
import sim.review.command
import sim.tune.command
import uplink.keys_command
import uplink.spool_command
import uplink.tail
import wakeword.command
from device.errors import DeviceError
from sim.cloud.embedded import embedded_far_end
from sim.errors import SimError
from sim.report import write_report
from uplink.errors import UplinkError
from wakeword.errors import WakewordError

if TYPE_CHECKING:
    from sim.cloud.settings import DeletionSettings
    from sim.cloud.store import ClipStore
    from uplink.keyring import Keyring
    from uplink.message import JSON

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """Every sub-command; each lives beside what it runs."""
    top = argparse.ArgumentParser(
        prog="misheard", description="An emulated smart speaker that really mishears.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"misheard {version('misheard')}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    device.command.add_parser(commands, partial(embedded_far_end, keeping=_keeping), write_report)
    device.mic_check_command.add_parser(commands)
    device.service.command.add_parser(commands)
    device.doctor.command.add_parser(commands)
    device.home.command.add_parser(commands, device.command.pair)
    device.home.wyoming_command.add_parser(commands, device.command.pair)
    sim.command.add_parser(commands)
    sim.tune.command.add_parser(commands)
    sim.report.command.add_parser(commands)
    sim.cloud.command.add_parser(commands, _keeping)
    sim.review.command.add_parser(commands)
    sim.console.command.add_parser(commands)
    wakeword.command.add_parser(commands)
    uplink.keys_command.add_parser(commands)
    uplink.spool_command.add_parser(commands)
    uplink.tail.add_parser(commands)
    sim.cloud.models.command.add_parser(commands)
    sim.lab.command.add_parser(commands)
    return top


def _keeping(
    store: ClipStore, keys: Keyring, settings: DeletionSettings, tell: Callable[[str, Mapping[str, JSON]], None], /
) -> AbstractContextManager[None]:
    from sim.review.keeping import kept_daily  # which brings a database along, and so only here

    return kept_daily(store, keys, settings, tell)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0 done, 1 not everything done, 2 wrong usage, 130 interrupted."""
    try:
        args = parser().parse_args(arguments)
        code: int = args.run(args)
        sys.stdout.flush()
    except (WakewordError, UplinkError, DeviceError, SimError) as error:
        print(f"misheard: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has gone: nothing is left to say, also not at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())

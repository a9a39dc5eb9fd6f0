"""`misheard doctor`: what a device needs, whether it is well, and the mend."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.doctor.finding import Finding, Patient

_MARKS = {"ok": ("✓", "green"), "note": ("·", "yellow"), "wrong": ("✗", "bold red")}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``doctor`` to the commands."""
    from device.command import pair

    parser = subparsers.add_parser(
        "doctor",
        help="look at all that the device needs, and say how to mend it",
        description="Looks at microphone, models, clock, disk, heat, broker, certificates, keys, spool and services; "
        "exit code 1 where something is wrong. It changes nothing, and may run beside the device.",
    )
    add = parser.add_argument
    add("--config", metavar="F", help="the device's profile or YAML file [that of its service, or else echo-dot]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as audio.microphone=USB")
    add("--broker", metavar="URL", help="embedded, or mqtt://host:port; goes before uplink.broker")
    add(
        "--state",
        type=Path,
        metavar="DIR",
        help="the device's state directory [that of its service, or your user data]",
    )
    add("--json", action="store_true", help="as JSON, for programs")
    add(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="write a .zip for whoever helps: no sound, no words, no names, no keys",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look, tell, and give 1 where something is wrong."""
    from device.doctor.examine import examine

    patient = patient_of(args)
    findings = examine(patient)
    ill = any(finding.level == "wrong" for finding in findings)
    if args.json:
        print(json.dumps({"ok": not ill, "findings": [vars(finding) for finding in findings]}, indent=2))
    else:
        show(findings)
    if args.bundle is not None:
        from device.doctor.bundle import write_bundle

        write_bundle(args.bundle, patient, findings)
        if not args.json:
            print(f"\n{args.bundle}: read it before you send it; names, addresses and paths are struck out")
    return 1 if ill else 0


def patient_of(args: argparse.Namespace) -> Patient:
    """Who is meant: what was named, or what a service runs, or what `misheard device` would run."""
    import platformdirs

    from device.config import load_device
    from device.doctor.finding import Patient
    from device.service.place import Place

    config, state = args.config, args.state
    for place in (Place.of_system(), Place.of_user()):
        served = place.config / "device.yaml"
        if config is None and state is None and served.is_file():
            config, state = str(served), place.state
    settings = load_device(config or "echo-dot", args.set)
    folder = state or platformdirs.user_data_path("misheard")
    return Patient(settings, folder, args.broker or settings.uplink.broker)


def show(findings: list[Finding]) -> None:
    """Print a line for each, and the mend under what is not well."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    width = max(len(finding.topic) for finding in findings)
    for finding in findings:
        mark, style = _MARKS[finding.level]
        line = Text.assemble((mark, style), f" {finding.topic.ljust(width)}  ", finding.text)
        console.print(line, soft_wrap=True)
        if finding.mend:
            console.print(Text(f"  {' ' * width}  → {finding.mend}", style="dim"), soft_wrap=True)
    wrong = sum(finding.level == "wrong" for finding in findings)
    console.print()
    console.print("all is well" if not wrong else f"{wrong} to mend", style="green" if not wrong else "bold red")

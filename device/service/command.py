"""`misheard service`: the device run by systemd, from the start of the machine on."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from device.errors import ConfigError, DeviceError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``service`` to the commands."""
    parser = subparsers.add_parser(
        "service",
        help="have systemd run the device from the start of the machine on",
        description="Writes systemd units: for the whole machine as root or with --system, else for you alone. What "
        "was recorded, the keys and the configuration stay, whatever is installed or removed.",
    )
    deeds = parser.add_subparsers(dest="deed", metavar="install|uninstall|status", required=True)
    install = deeds.add_parser("install", help="write the units, or write them anew after an upgrade, and start them")
    remove = deeds.add_parser("uninstall", help="stop the services and remove their units")
    status = deeds.add_parser("status", help="say what runs")
    for each, run in ((install, _install), (remove, _uninstall), (status, _status)):
        scope = each.add_mutually_exclusive_group()
        scope.add_argument("--system", action="store_true", help="for the whole machine; needs root")
        scope.add_argument("--user", action="store_true", help="for you alone, also as root")
        each.add_argument(
            "--root", type=Path, metavar="DIR", help="below DIR and without systemd, to look at or to pack"
        )
        each.set_defaults(run=run)
    add = install.add_argument
    add(
        "--broker",
        default="embedded",
        metavar="URL",
        help="embedded, or mqtt://host:port, mqtts://host:port [embedded]",
    )
    add("--apart", action="store_true", help="far end and Mosquitto as services of their own beside the device")
    add("--tls", type=Path, metavar="DIR", help="ca.pem, cert.pem and key.pem for an mqtts broker, as credentials")
    add("--no-start", action="store_true", help="write them, and start nothing")


def _install(args: argparse.Namespace) -> int:
    import shutil

    from device.config import load_device
    from device.service.install import install, manage, version
    from device.service.place import Place, program, seen_by_programs
    from device.service.units import OLDEST, Plan

    place = Place.of_caller(args.system, args.user, args.root)
    if args.apart and args.broker != "embedded":
        raise ConfigError("--apart brings a broker of its own; leave --broker, or run misheard cloud where that one is")
    tls = None if args.tls is None else args.tls.resolve()
    if tls is not None and (missing := [n for n in ("ca.pem", "cert.pem", "key.pem") if not (tls / n).is_file()]):
        raise ConfigError(f"{tls} has no {', '.join(missing)}; put them there, or leave --tls")
    mosquitto = Path(shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "/usr/sbin/mosquitto")
    if args.apart and args.root is None and not mosquitto.exists():
        raise DeviceError("--apart needs Mosquitto; install it with apt-get install mosquitto")
    config = place.at(place.config / "device.yaml")
    settings = load_device(config) if config.exists() else load_device()
    plan = Plan(
        place,
        program(),
        seen_by_programs() if place.system else (),
        broker=args.broker,
        apart=args.apart,
        tls=tls,
        home=settings.home.broker,
        pins=any(pin is not None for name, pin in settings.gpio if name.endswith("_pin")),
        mosquitto=mosquitto,
        systemd=version() if args.root is None else OLDEST,
    )
    for path in install(plan, settings.name):
        print(f"written: {path}")
    units = [f"{each}.service" for each in plan.names]
    if args.root is not None or args.no_start:
        print(f"start them with: {' '.join([*place.systemctl, 'enable', '--now', *units])}")
        return 0
    manage(place, "daemon-reload")
    manage(place, "enable", *units)
    manage(place, "restart", *units)
    print(f"running: {', '.join(units)}; look with: misheard service status")
    if not place.system and not _lingers():
        print(f"they end when you log out, until you say: sudo loginctl enable-linger {getpass.getuser()}")
    return 0


def _lingers() -> bool:
    return Path("/var/lib/systemd/linger", getpass.getuser()).exists()


def _uninstall(args: argparse.Namespace) -> int:
    from device.service.install import NAMES, manage, uninstall
    from device.service.place import Place

    place = Place.of_caller(args.system, args.user, args.root)
    there = [f"{name}.service" for name in NAMES if place.at(place.units / f"{name}.service").exists()]
    if not there:
        print(f"no service of misheard is installed in {place.at(place.units)}")
        return 0
    if args.root is None:
        manage(place, "disable", "--now", *there)
    for path in uninstall(place):
        print(f"removed: {path}")
    if args.root is None:
        manage(place, "daemon-reload")
    print(f"kept: recordings and keys in {place.at(place.state)}, the configuration in {place.at(place.config)}")
    return 0


def _status(args: argparse.Namespace) -> int:
    from device.service.install import states
    from device.service.place import Place

    place = Place.of_caller(args.system, args.user, args.root)
    found = states(place)
    if not found:
        raise DeviceError(f"no service of misheard is installed in {place.units}; install: misheard service install")
    for name, facts in found.items():
        state = f"{facts.get('ActiveState', 'unknown')} ({facts.get('SubState', 'the manager does not answer')})"
        more = [f"starts by itself: {'yes' if facts.get('UnitFileState') == 'enabled' else 'no'}"]
        if facts.get("NRestarts", "0") != "0":
            more.append(f"restarted {facts['NRestarts']} times")
        if facts.get("StatusText"):
            more.append(facts["StatusText"])
        print(f"{name:<17} {state}; {'; '.join(more)}")
    return 0 if all(facts.get("ActiveState") == "active" for facts in found.values()) else 1

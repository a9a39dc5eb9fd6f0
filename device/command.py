"""`misheard device`: the speaker itself, on a microphone, a file or a pipe."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from device.errors import ConfigError, DeviceError

if TYPE_CHECKING:
    from rich.console import Console

    from device.audio import Pace, Source
    from device.config import DeviceSettings, KeepSettings
    from device.runtime import Observer
    from device.session import Session
    from uplink.message import JSON

INTERRUPTED = 130


class FarEndHere(Protocol):
    """A broker with a far end behind it, inside this program."""

    url: str

    def wait_answered(self, timeout_s: float) -> bool:
        """Wait until every complete clip has its transcript; False where that took longer."""
        ...


Tell = Callable[[str, "Mapping[str, JSON]"], None]
Embedded = Callable[[Path, str, Tell, "str | None", "KeepSettings"], AbstractContextManager[FarEndHere]]
"""Starts a far end here: takes the state directory, the device's name, whom to tell what happens there, under which
profile it answers, if it is to, and what it keeps without one."""
Report = Callable[[Path], None]
"""Draws the report of a run directory into it."""


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], embedded: Embedded, report: Report
) -> None:
    """Add `misheard device`; `embedded` is the far end for ``--broker embedded``."""
    parser = subparsers.add_parser(
        "device",
        help="listen, wake, capture and upload",
        description="Runs the speaker until the sound ends, or until Ctrl-C. Clips that were not received by then "
        "are kept and sent at the next start.",
    )
    add = parser.add_argument
    add("--config", default="echo-dot", metavar="F", help="a profile's name or a YAML file [echo-dot]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as wake.threshold=0.6")
    add("--source", default="mic", metavar="mic|FILE|-", help="the microphone, a sound file, or standard input [mic]")
    add("--pace", choices=("real", "fast"), default="real", help="as heard, or as fast as all can [real]")
    add("--broker", metavar="URL", help="embedded, or mqtt://host:port; goes before uplink.broker")
    add("--state", type=Path, metavar="DIR", help="where clips wait until they are received [your user data]")
    add("--out", type=Path, metavar="DIR", help="leave a run directory there")
    add(
        "--metrics",
        type=int,
        metavar="PORT",
        help="Prometheus metrics on 127.0.0.1:PORT; short for uplink.metrics_port",
    )
    add("--cloud", metavar="F", help="have the embedded far end answer, under this profile or YAML file")
    add("--patient", action="store_true", help="begin also where the broker cannot be had; what is heard waits for it")
    add("--log", choices=("terminal", "journal"), default="terminal", help="for people, or a line an event [terminal]")
    add("--keep-audio", action="store_true", help="with --out: keep all that the microphone heard")
    parser.set_defaults(run=lambda args: run(args, embedded, report))


def pair(text: str) -> tuple[str, str]:
    """``KEY=VALUE`` as a pair, for ``--set``."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text} is not KEY=VALUE")
    return key, value


def run(args: argparse.Namespace, embedded: Embedded, report: Report) -> int:
    """Run the device; 0 where every clip was received, 1 where not, 130 after Ctrl-C."""
    from rich.console import Console

    from device.config import load_device
    from device.events import Stream
    from device.followed import Followed
    from device.home.household import Household
    from device.notify import Notifier
    from device.records import Records
    from device.reload import reloaded_by_signal
    from device.session import Session
    from device.wall_clock import WallClock
    from uplink.address import ANYBODY
    from wakeword.models import LICENCE
    from wakeword.scorer import load_scorers
    from wakeword.sound import RATE
    from wakeword.vad import VoiceActivity

    metrics = [] if args.metrics is None else [("uplink.metrics_port", str(args.metrics))]

    def load() -> DeviceSettings:
        return load_device(args.config, [*args.set, *metrics])

    settings = load()
    state = state_directory(args.state)
    relay, notifier = Relay(), Notifier.of(os.environ)
    source, pace = open_source(args.source, args.pace, settings, relay)
    scorers = load_scorers(settings.wake.words, settings.wake.engine)
    home = Household(settings)
    stream = Stream(settings.name, datetime.now(UTC))  # the only look at the clock on the wall, but for its being set
    records = Records(args.out, settings, stream, scorers, relay, live=pace == "real", keep_audio=args.keep_audio)
    console = Console(highlight=False, quiet=args.log == "journal")
    console.print(f"wake-word models: {LICENCE}", style="dim")
    failure: DeviceError | None = None
    try:
        with ExitStack() as stack:
            url, here = args.broker or settings.uplink.broker, None
            if args.cloud is not None and url != "embedded":
                raise ConfigError(
                    f"--cloud is for the embedded far end; start misheard cloud --config {args.cloud} there"
                )
            observers = [*records.observers, stack.enter_context(log_to(args.log, console)), notifier.note, home.note]
            delay_ms = 0
            if args.source == "mic" and settings.audio.loudspeaker != "off":
                speak, source = stack.enter_context(voice_of(settings, source, relay))
                observers.append(speak)
                delay_ms = settings.audio.loudspeaker_delay_ms
            if url == "embedded":
                here = stack.enter_context(embedded(state, settings.name, relay, args.cloud, settings.keep))
                url = here.url
            voice = VoiceActivity()
            access = ANYBODY if here else settings.uplink.access()
            followers = [notifier.hear]
            if args.source == "mic":
                followers.append(WallClock(stream.utc, lambda zero: session.runtime.set_clock(zero)).hear)
            session = Session(
                settings,
                stream,
                Followed(source, followers),
                scorers,
                voice,
                url,
                state,
                pace,
                observers,
                home.beside(records.on_block),
                access,
                args.patient,
                delay_ms * RATE // 1000,
            )
            relay.to, records.manifest = session.runtime.tell, session.manifest()
            stack.callback(home.close)
            home.start(session.runtime)

            def take(wanted: DeviceSettings) -> None:
                notifier.reloading()
                session.reload(wanted)
                records.keep = session.settings.keep
                notifier.reloaded()

            def refuse(why: str) -> None:
                session.runtime.tell("reload_failed", {"reason": why})

            listening = f"listening to {source.name} for {', '.join(scorers.names)}; Ctrl-C ends"
            console.print(listening, style="dim", markup=False)
            received = False
            with reloaded_by_signal(load, take, refuse), stopped_by_signals(session, notifier.stopping) as signals:
                received = session.play(here.wait_answered if here else None)
    except DeviceError as error:
        failure = error
        raise
    finally:  # whatever happened, what was heard is written down; and nobody tells anything any more
        try:
            written = records.close()
        except DeviceError as error:
            if failure is None:
                raise
            raise DeviceError(f"{failure}; and {error}") from failure  # clips are more than the record of them
        if written is not None:
            if not records.rolling:
                report(args.out)
            summarize(console, written, args.out)
    if signal.SIGINT in signals:
        return INTERRUPTED
    return 0 if received or signals else 1


@contextmanager
def log_to(where: str, console: Console) -> Iterator[Observer]:
    """Give an observer that shows what happens: to a person, or as lines for the journal."""
    if where == "journal":
        from device.journal import JournalLog

        yield JournalLog().note
        return
    from device.timeline import Timeline

    with Timeline(console) as timeline:
        yield timeline.note


@contextmanager
def voice_of(settings: DeviceSettings, source: Source, tell: Tell) -> Iterator[tuple[Observer, Source]]:
    """Give an observer that plays prompts on a loudspeaker, and the microphone, which is not to hear them if so set."""
    from device.echo import Played, WithoutEcho
    from device.speaker import Speaker

    played = Played()
    heard = WithoutEcho(source, played) if settings.audio.echo_cancellation else source
    sample_at = getattr(source, "sample_at", lambda _time: None)
    speaker = Speaker(settings.audio.loudspeaker, tell, sample_at, played=played)
    try:
        yield speaker.note, heard
    finally:
        speaker.close()


class Relay:
    """Passes on what is told, once there is somebody to tell."""

    def __init__(self) -> None:
        self.to: Tell | None = None

    def __call__(self, kind: str, facts: Mapping[str, JSON]) -> None:
        """Tell it, or let it go while nobody is there."""
        if self.to is not None:
            self.to(kind, facts)


def open_source(name: str, pace: Pace, settings: DeviceSettings, tell: Tell) -> tuple[Source, Pace]:
    """The microphone (``mic``; `tell` hears how it fares), standard input (``-``) or a file, and the pace it has."""
    audio = settings.audio
    if name == "mic":
        from device.microphone import Microphone

        room_s = audio.buffer_ms / 1000
        microphone = Microphone(audio.microphone, audio.channel, block_ms=audio.block_ms, room_s=room_s, on_fact=tell)
        return microphone, "real"
    if name == "-":
        from device.pipe import StreamSource

        return StreamSource(sys.stdin.buffer), pace
    from device.audio import FileSource

    if not Path(name).is_file():
        raise ConfigError(f"there is no sound file {name}; give the path of one, mic, or - for standard input")
    return FileSource(Path(name), pace), pace


def state_directory(chosen: Path | None) -> Path:
    """Where things live that must survive: what was chosen, or the user's data directory; raises DeviceError."""
    import platformdirs

    folder = chosen or platformdirs.user_data_path("misheard")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DeviceError(f"{folder} cannot be made ({error.strerror}); choose another with --state") from None
    return folder


@contextmanager
def stopped_by_signals(session: Session, stopping: Callable[[], None]) -> Iterator[list[int]]:
    """Let SIGINT and SIGTERM end the session in good order, also its wait for receipts; gives the signals that came."""
    came: list[int] = []

    def stop(number: int, _: Any) -> None:
        came.append(number)
        stopping()
        if session.kept:
            raise KeyboardInterrupt
        session.runtime.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(KeyboardInterrupt):
            yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def summarize(console: Console, run: Mapping[str, Any], folder: Path) -> None:
    """Print what a run came to."""
    from rich.table import Table
    from rich.text import Text

    wakes, clips = run["wakes"], run["clips"]
    table = Table(show_header=False, box=None, padding=(0, 2))
    for kind in ("true", "false", "all"):
        if kind in wakes:
            table.add_row("wakes" if kind == "all" else f"{kind} wakes", str(wakes[kind]))
    table.add_row("near misses", str(wakes["near_misses"]))
    table.add_row("clips received", f"{clips['received']} of {clips['captured']}")
    table.add_row("sound that left the home", f"{clips['uploaded_s']:.1f} s")
    table.add_row("run directory", Text(str(folder), overflow="ignore", no_wrap=True))
    console.print()
    console.print(table, soft_wrap=True)

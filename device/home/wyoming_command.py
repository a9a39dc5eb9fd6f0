"""`misheard wyoming`: the wake words as a service for the home."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from device.errors import ConfigError


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], pair: Callable[[str], tuple[str, str]]
) -> None:
    """Add `misheard wyoming`; `pair` reads ``KEY=VALUE``."""
    parser = subparsers.add_parser(
        "wyoming",
        help="wake words for Home Assistant and satellites, over the wyoming protocol",
        description="Answers until Ctrl-C. Whoever reaches the address may ask: name one beyond this machine only on a "
        "network that is yours.",
    )
    add = parser.add_argument
    add("--uri", default="tcp://127.0.0.1:10400", help="where to listen [tcp://127.0.0.1:10400]")
    add("--config", default="echo-dot", metavar="F", help="a profile's name or a YAML file; its wake section counts")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as wake.threshold=0.6")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT (130) or SIGTERM (0)."""
    from device.config import load_device
    from device.home.wyoming_service import Service
    from wakeword.models import LICENCE
    from wakeword.scorer import load_scorers

    host, port = _address(args.uri)
    settings = load_device(args.config, args.set).wake
    service = Service(settings, load_scorers(settings.words, settings.engine))
    print(f"wake-word models: {LICENCE}")

    def ready(port: int) -> None:
        print(
            f"listening for {', '.join(settings.words)} on tcp://{args.uri[6:].rpartition(':')[0]}:{port}", flush=True
        )

    async def serve() -> None:
        task = asyncio.ensure_future(service.serve(host, port, ready))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(serve())
    return 0


def _address(uri: str) -> tuple[str, int]:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or not uri.startswith("tcp://"):
        raise ConfigError(f"{uri} is no address to listen on; write tcp://HOST:PORT")
    return host, port

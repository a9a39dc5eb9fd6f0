"""A microphone without hardware: a private PulseAudio whose null sink is heard through its monitor.

What is played into the sink is what PortAudio hears, for PortAudio on Debian speaks ALSA, and ALSA's pulse plugin
speaks to this daemon. PortAudio reads its environment once, so that whoever listens is a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_S = 20.0
"""The longest that the daemon may take to answer."""

_ALSA = """
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.kitchen { type pulse hint.description "The kitchen" }
"""


@dataclass(frozen=True)
class VirtualMicrophone:
    """A running daemon; its default microphone is also called "kitchen"."""

    env: dict[str, str]
    """The environment for whoever listens."""
    daemon: subprocess.Popen[bytes]

    def play(self, path: Path) -> None:
        """Play a sound file into the microphone; returns when it has been heard."""
        subprocess.run(["paplay", str(path)], env=self.env, check=True, timeout=120)

    def control(self, *words: str) -> None:
        """Give pactl's words to the daemon."""
        subprocess.run(["pactl", *words], env=self.env, check=True, timeout=20)


@contextmanager
def virtual_microphone(rate: int) -> Iterator[VirtualMicrophone]:
    """Run a daemon with a sink of `rate` Hz; raises RuntimeError with its log if it does not start."""
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder:
        home = Path(folder)
        (home / "asound.conf").write_text(_ALSA)
        own = {
            "PULSE_SERVER": f"unix:{home}/native",
            "PULSE_COOKIE": f"{home}/cookie",
            "XDG_RUNTIME_DIR": folder,
            "ALSA_CONFIG_PATH": f"{home}/asound.conf",
        }
        env = {**os.environ, **own}
        log = home / "log"
        with log.open("wb") as output:
            daemon = subprocess.Popen(
                [
                    *("pulseaudio", "-n", "--daemonize=no", "--system=no", "--use-pid-file=no"),
                    *("--exit-idle-time=-1", "--disallow-exit", "--log-target=stderr"),
                    *("-L", f"module-native-protocol-unix socket={home}/native auth-anonymous=1"),
                    *("-L", f"module-null-sink sink_name=kitchen rate={rate}"),
                ],
                env={**env, "HOME": folder},
                stdout=output,
                stderr=output,
            )
        try:
            _await(daemon, env, log)
            yield VirtualMicrophone(env, daemon)
        finally:
            daemon.kill()
            daemon.wait()


def _await(daemon: subprocess.Popen[bytes], env: dict[str, str], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while daemon.poll() is None and time.monotonic() < deadline:
        answer = subprocess.run(["pactl", "info"], env=env, capture_output=True, timeout=START_S, check=False)
        if b"kitchen.monitor" in answer.stdout:
            return
    raise RuntimeError(f"PulseAudio did not start:\n{log.read_text()}")

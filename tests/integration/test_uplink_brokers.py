"""Brokers that refuse, and devices that vanish."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.uplink_kit import DEADLINE_S, Diary, free_port, known, mosquitto
from uplink.errors import LinkError
from uplink.link import Link
from uplink.receiver import Receiver

DEVICE = """
import sys
from pathlib import Path
from uplink.keyring import Keyring
from uplink.seal import Seal
from uplink.sender import Sender
from uplink.spool import Spool
seal = Seal(Keyring.of_device(Path(sys.argv[3]), "dot"))
sender = Sender("dot", Spool(Path(sys.argv[1])), sys.argv[2], seal=seal, on_directive=print, on_fact=print)
sender.start(strict=True)
sys.stdin.read()
"""


def link(url: str, *, topics: tuple[str, ...] = (), diary: Diary | None = None) -> Link:
    tell = diary or Diary()
    return Link(
        url,
        "tester",
        topics=topics,
        on_message=lambda topic, payload: tell(topic, {"payload": payload.decode(errors="replace")}),
        on_up=lambda: tell("up", {}),
        on_down=lambda reason: tell("down", {"reason": reason}),
    )


def test_a_broker_that_wants_a_password(tmp_path: Path, needs: Callable[[str], str]) -> None:
    program = needs("mosquitto")
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "alice", "wonder land"], check=True)
    lines = ["allow_anonymous false", f"password_file {passwords}", "user root"]
    with mosquitto(program, tmp_path, free_port(), lines) as url:
        refused = r"the broker at mqtt://127\.0\.0\.1:\d+ refuses \(not authorized\); check user name and password"
        with pytest.raises(LinkError, match=refused):
            link(url).open(strict=True)
        host = url.removeprefix("mqtt://")
        with pytest.raises(LinkError, match=refused) as caught:
            link(f"mqtt://alice:queen@{host}").open(strict=True)
        assert "queen" not in str(caught.value)
        welcome = link(f"mqtt://alice:wonder%20land@{host}")
        welcome.open(strict=True)
        welcome.close()
        diary = Diary()
        patient = link(url, diary=diary)
        patient.open()
        assert "refuses" in diary.wait("down")["reason"]
        patient.close()


def test_a_device_that_is_killed_is_reported_offline(tmp_path: Path, needs: Callable[[str], str]) -> None:
    program = needs("mosquitto")
    diary = Diary()
    with mosquitto(program, tmp_path, free_port()) as url:
        receiver = Receiver(
            url,
            seal=known().far_end,
            next_serial=time.time_ns,
            on_part=lambda _: None,
            on_event=lambda *_: None,
            on_status=lambda _, status: diary(str(status["state"]), status),
            on_refused=lambda _: None,
        )
        receiver.start(strict=True)
        command = [sys.executable, "-c", DEVICE, str(tmp_path / "spool.sqlite"), url, str(known().folder)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as device:
            diary.wait("online")
            device.send_signal(signal.SIGKILL)
            diary.wait("offline")
            device.wait(DEADLINE_S)
        receiver.close()
        # It stays known to whoever asks later.
        late = Diary()
        latecomer = link(url, topics=("misheard/v1/dot/status",), diary=late)
        latecomer.open(strict=True)
        assert "offline" in late.wait("misheard/v1/dot/status")["payload"]
        latecomer.close()

"""The units that `misheard service` writes, as systemd itself reads them; the manager is not run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device.service.install import install
from device.service.place import Place, program, seen_by_programs
from device.service.units import DEVICE, OLDEST, Plan, render
from sim.main import main
from uplink.keyring import FAR_END, Keyring

LEAST_SCORE = 20
"""Tenths of systemd's exposure level, which is 96 for a service without any of it."""


@pytest.fixture
def analyze(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """systemd-analyze; without it the test skips, and fails in CI."""
    found = shutil.which("systemd-analyze")
    if found is None:
        reason = "systemd-analyze is not installed; on Debian: apt-get install systemd"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    (tmp_path / "runtime").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    return found


def ask(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def texts(folder: Path, plan: Plan) -> list[Path]:
    folder.mkdir()
    for name in plan.names:
        (folder / f"{name}.service").write_text(render(plan, name))
    return [folder / f"{name}.service" for name in plan.names]


@pytest.mark.parametrize("system", [True, False], ids=["machine", "user"])
@pytest.mark.parametrize("apart", [True, False], ids=["apart", "together"])
def test_systemd_finds_nothing_to_say_against_the_units(
    tmp_path: Path, analyze: str, system: bool, apart: bool
) -> None:
    place = Place.of_system() if system else Place.of_user()
    tls = None if apart else tmp_path
    broker = "embedded" if apart else "mqtts://broker.example"
    plan = Plan(place, program(), seen_by_programs(), broker, apart, tls, Path("/bin/true"))
    for unit in texts(tmp_path / "units", plan):
        told = ask(analyze, *([] if system else ["--user"]), "verify", "--man=no", unit)
        assert unit.name not in told, told
        if system:
            tight = ask(analyze, "security", "--offline=true", f"--threshold={LEAST_SCORE}", "--no-pager", unit)
            assert re.search(r"exposure level for \S+: [01]\.\d", told + tight)


def test_what_must_hold_of_the_device_stands_in_its_unit() -> None:
    plan = Plan(Place.of_system(), Path("/opt/misheard/bin/misheard"), [Path("/home/pi/misheard")])
    lines = render(plan, DEVICE).splitlines()
    for line in (
        "Type=notify",
        "WatchdogSec=30",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "SupplementaryGroups=audio",
        "StateDirectory=misheard",
        "DevicePolicy=closed",
        "DeviceAllow=char-alsa rw",
        "ProtectSystem=strict",
        "ProtectHome=tmpfs",
        "BindReadOnlyPaths=/home/pi/misheard",
        "IPAddressDeny=any",  # broker and far end are embedded
        "Restart=always",
        "WantedBy=multi-user.target",
    ):
        assert line in lines, line
    assert not any("network" in line and "=" in line for line in lines)
    assert not any("@" in line and "@system-service" not in line and "@privileged" not in line for line in lines)
    assert not any("gpio" in line for line in lines)
    wired = render(Plan(plan.place, plan.program, home="mqtt://homeassistant.local", pins=True), DEVICE)
    assert "IPAddressDeny" not in wired
    assert "DeviceAllow=char-gpiochip rw" in wired
    assert "IPAddressDeny" in render(Plan(plan.place, plan.program, home="mqtt://localhost:1883"), DEVICE)
    elsewhere = render(Plan(plan.place, plan.program, broker="mqtts://b.example", tls=Path("/etc/tls")), DEVICE)
    assert "IPAddressDeny" not in elsewhere
    assert "LoadCredential=key.pem:/etc/tls/key.pem" in elsewhere
    assert "--set uplink.key_file=%d/key.pem" in elsewhere
    assert "RestartMaxDelaySec" not in elsewhere
    assert "RestartMaxDelaySec=300" in render(Plan(plan.place, plan.program, systemd=OLDEST + 2), DEVICE)


def test_installing_again_and_removing_leaves_recordings_keys_and_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def service(*words: str) -> str:
        assert main(["service", words[0], "--system", "--root", str(tmp_path), *words[1:]]) == 0
        return capsys.readouterr().out

    told = service("install", "--apart")
    assert "start them with: systemctl enable --now misheard-broker.service" in told
    state, config = tmp_path / "var/lib/misheard", tmp_path / "etc/misheard"
    device = Keyring.of_device(state, "echo-dot")
    assert device.trusted(FAR_END) == Keyring.of_far_end(state / "far-end").own().public
    (config / "device.yaml").write_text("name: cupboard\n")
    (state / "runs").mkdir()
    (state / "runs" / "recording").write_text("sound")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (config / "device.yaml").write_text("name: cupboard\ngpio: {light_pin: 17}\nhome: {broker: 'mqtts://ha.example'}\n")
    before[config / "device.yaml"] = (config / "device.yaml").read_bytes()
    service("install", "--apart")
    unit = (tmp_path / "etc/systemd/system/misheard-device.service").read_text()
    assert "SupplementaryGroups=gpio" in unit  # as the configuration wants it by now
    assert "IPAddressDeny" not in unit
    assert Keyring.of_device(state, "cupboard").has_key  # whom the configuration names now
    told = service("uninstall")
    assert f"kept: recordings and keys in {state}" in told
    assert list((tmp_path / "etc/systemd/system").iterdir()) == []
    for path, content in before.items():
        assert path.suffix == ".service" or path.read_bytes() == content, path
    assert "no service of misheard is installed" in service("uninstall")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["install", "--apart", "--broker", "mqtt://b"], "--apart brings a broker of its own"),
        (["install", "--broker", "mqtts://b", "--tls", "."], "has no ca.pem, cert.pem, key.pem"),
        (["status"], "no service of misheard is installed in /etc/systemd/system"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    code = main(["service", *words, "--system", "--root", str(tmp_path)])
    assert code == (1 if words == ["status"] else 2)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert told in error


def test_a_place_that_no_unit_can_name_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    from device.errors import ConfigError

    place = Place.of_system(tmp_path)
    with pytest.raises(ConfigError, match="cannot name"):
        install(Plan(place, Path("/home/my pi/misheard")), "echo-dot")
    assert list(tmp_path.iterdir()) == []

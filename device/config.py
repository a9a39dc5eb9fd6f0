"""The settings of a device: frozen, checked, every one with its unit and range. Profiles are in configs/devices."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from device.errors import ConfigError
from device.home.settings import GpioSettings, HomeSettings
from device.yaml_model import load_yaml_model
from uplink.address import Access
from uplink.budget import Policy
from uplink.profiles import PROFILES
from wakeword.sound import RATE

Milliseconds = Annotated[int, Field(ge=0, le=3_600_000)]
Share = Annotated[float, Field(ge=0, le=1)]

_WORD_MS = 1500
"""The longest wake word, the time until it is detected, and a hop."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WakeSettings(_Settings):
    """When the device wakes."""

    words: tuple[str, ...] = Field(("alexa",), min_length=1, description="wake words, or paths of model files")
    engine: str = Field("openwakeword", description="openwakeword, micro or reference")
    threshold: float | None = Field(None, gt=0, le=1, description="score that wakes; none takes the engine's own")
    speaking_threshold: float | None = Field(
        None, gt=0, le=1, description="the same while the device itself speaks, where it is higher; none: no difference"
    )
    patience_hops: int = Field(1, ge=1, le=25, description="hops (80 ms) in a row at the threshold")
    hysteresis: Share = Field(0.1, description="how far under the threshold a score must fall before the next wake")
    refractory_ms: Milliseconds = Field(2000, description="time after a wake without another")
    near_miss_margin: Share = Field(0.2, description="a peak at most so far under the threshold is a near miss")
    verifier: Path | None = Field(
        None, description="a second look at what woke, learned by misheard review loop (.npz); none: no second look"
    )
    near_miss_settle_ms: Milliseconds = Field(1000, description="near misses so close together are one")


class CaptureSettings(_Settings):
    """What is sent after a wake."""

    pre_roll_ms: int = Field(500, ge=0, le=2500, description="sound before the wake word that is sent too")
    part_ms: int = Field(1000, ge=80, le=1000, description="longest part on the wire")
    silence_ms: int = Field(800, ge=160, le=10_000, description="silence after speech that ends a capture")
    first_speech_ms: int = Field(3000, ge=160, le=30_000, description="how long to wait for the request to begin")
    limit_ms: int = Field(10_000, ge=1500, le=120_000, description="longest capture, pre-roll and word included")
    speech_probability: float = Field(0.5, gt=0, le=1, description="Silero VAD output that counts as speech")

    @field_validator("limit_ms")
    @classmethod
    def _holds_the_word(cls, limit_ms: int, info: ValidationInfo) -> int:
        least = info.data.get("pre_roll_ms", 0) + _WORD_MS
        if limit_ms < least:
            raise ValueError(f"it must hold the pre-roll and the word, {least} at least")
        return limit_ms


class DeadlineSettings(_Settings):
    """How long a state may last."""

    heartbeat_ms: Milliseconds = Field(300_000, ge=1000, description="IDLE: a heartbeat event, then on")
    thinking_ms: Milliseconds = Field(5000, ge=80, description="BUSY, as in the Alexa Voice Service")
    expecting_ms: Milliseconds = Field(8000, ge=80, description="EXPECTING_SPEECH when the directive gives no time")
    prompt_ms: Milliseconds = Field(60_000, ge=80, description="SPEAKING: the longest prompt played")


class AudioSettings(_Settings):
    """The microphone and what is kept of it in memory."""

    microphone: str | None = Field(
        None, description="part of its name, its USB serial or port; none takes the system's default"
    )
    channel: Annotated[int, Field(ge=0, le=63)] | Literal["loudest"] = Field(
        0, description="which of its channels, from 0, or the one that is loudest when it is opened"
    )
    loudspeaker: str | None = Field(
        None, description="as the microphone; none takes the system's default, off plays nothing"
    )
    loudspeaker_delay_ms: int = Field(
        300, ge=0, le=5000, description="how much later than it is due a prompt is over that a loudspeaker plays"
    )
    echo_cancellation: bool = Field(
        False, description="take the device's own prompts out of what it hears; needs misheard[echo]"
    )
    block_ms: int = Field(20, ge=5, le=1000, description="how much sound the microphone hands over at a time")
    buffer_ms: int = Field(8000, ge=100, le=60_000, description="sound that may wait for the device before it is lost")
    ring_ms: int = Field(8000, ge=4000, le=600_000, description="sound held in memory, for the pre-roll")
    gap_fill_ms: int = Field(1000, ge=0, le=3000, description="a longer loss ends the capture and restarts listening")


class AcousticSettings(_Settings):
    """The device's microphone and loudspeaker, for a simulated home; a real device does not look at it.

    A digital MEMS microphone typically gives -26 dBFS at 94 dB SPL, so 0 dBFS (a sine of full scale) at 120 dB SPL.
    What comes after it amplifies: 30 dB are assumed, which puts normal speech at 2 m to about -34 dBFS.
    """

    full_scale_db_spl: float = Field(
        90.0, ge=60, le=140, description="sound pressure level of a sine whose peaks just reach full scale; assumed"
    )
    loudspeaker_db_spl: float = Field(
        62.35, ge=0, le=110, description="active speech of a prompt at 1 m; assumed: as loud as a person (ANSI S3.5)"
    )
    loudspeaker_m: float = Field(
        0.1, ge=0.01, le=1, description="from the loudspeaker to the microphone of the same device; assumed"
    )
    echo_loss_db: float = Field(
        35.0, ge=0, le=120, description="how much of its own prompt echo cancellation takes away; assumed"
    )


class UplinkSettings(_Settings):
    """The way to the far end."""

    broker: str = Field("embedded", description="embedded, or mqtt://host:port, mqtts://host:port")
    broker_profile: Literal["embedded", "mosquitto", "aws-iot-core"] | None = Field(
        None, description="what the broker takes; none is embedded for the embedded one, mosquitto for others"
    )
    ca_file: Path | None = Field(None, description="PEM: whom to believe that a broker is itself; none: the system's")
    certificate_file: Path | None = Field(None, description="PEM: who this device is; needed on another machine")
    key_file: Path | None = Field(None, description="PEM: the certificate's key; none where it is in the same file")
    allow_plain: bool = Field(False, description="let sound go to a broker on another machine without TLS")
    in_flight: int = Field(32, ge=1, le=100, description="parts on their way at once")
    resend_ms: int = Field(5000, ge=100, le=600_000, description="after this without a receipt a part is sent again")
    spool_mb: int = Field(256, ge=1, le=1_000_000, description="clips that wait on the disk, in millions of bytes")
    spool_days: float = Field(30, gt=0, le=3650, description="how long a clip waits at most, while the device listens")
    spool_policy: Policy = Field(
        "drop_oldest", description="when that is full: refuse_new, drop_oldest or drop_unverified_first, whole clips"
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65_535, description="Prometheus metrics on 127.0.0.1; none: nowhere"
    )
    drain_ms: Milliseconds = Field(30_000, description="at the end, how long to wait for the last receipts")

    def access(self) -> Access:
        """What these say of a broker that is not the embedded one."""
        return Access(
            ca_file=self.ca_file,
            certificate_file=self.certificate_file,
            key_file=self.key_file,
            allow_plain=self.allow_plain,
            limits=PROFILES[self.broker_profile or "mosquitto"],
        )


class KeepSettings(_Settings):
    """What stays of runs that are written with ``--out`` for months, and of clips; the oldest goes first."""

    run_hours: float | None = Field(
        None, gt=0, le=8784, description="a new run directory, inside that of --out, each so many hours; none: only one"
    )
    run_days: float | None = Field(
        None, gt=0, le=36_500, description="how long such a directory is kept, while the device listens; none: for ever"
    )
    run_mb: int | None = Field(
        None, ge=1, le=10_000_000, description="most that they hold together, in millions of bytes; none: no limit"
    )
    clip_days: int | None = Field(
        None, ge=1, le=36_500, description="how long a far end inside the program keeps clips, unless a profile says it"
    )
    clip_mb: int | None = Field(
        None, ge=1, le=100_000_000, description="most sound that it keeps, likewise; then the oldest goes"
    )


class DeviceSettings(_Settings):
    """Everything a device can be told."""

    name: str = Field("echo-dot", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="lower case, in topics and ids")
    earcons: bool = Field(True, description="whether the device beeps; an event either way")
    wake: WakeSettings = WakeSettings()
    capture: CaptureSettings = CaptureSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    audio: AudioSettings = AudioSettings()
    acoustics: AcousticSettings = AcousticSettings()
    uplink: UplinkSettings = UplinkSettings()
    keep: KeepSettings = KeepSettings()
    home: HomeSettings = HomeSettings()
    gpio: GpioSettings = GpioSettings()


def samples(milliseconds: int) -> int:
    """Milliseconds as samples at 16 kHz."""
    return milliseconds * RATE // 1000


def load_device(profile: str | Path = "echo-dot", overrides: Sequence[tuple[str, str]] = ()) -> DeviceSettings:
    """A shipped profile by its name, or a YAML file by its path, with dotted keys overridden; raises ConfigError."""
    shipped = files("configs").joinpath("devices", f"{profile}.yaml")
    if shipped.is_file():
        return load_yaml_model(
            shipped.read_text("utf-8"), DeviceSettings, overrides, name=f"configs/devices/{profile}.yaml"
        )
    if not Path(profile).is_file():
        names = sorted(f.name.removesuffix(".yaml") for f in files("configs").joinpath("devices").iterdir())
        raise ConfigError(f"there is no profile or file called {profile}; the profiles are {', '.join(names)}")
    return load_yaml_model(Path(profile), DeviceSettings, overrides)

"""The settings of what a device has to do with the rest of its home. All of it is off until somebody names it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from device.errors import ConfigError
from device.yaml_model import SettingFault
from uplink.address import Access
from uplink.profiles import PROFILES

Pin = Annotated[int, Field(ge=0, le=27)]
"""The Broadcom number (GPIO17 is 17), not the number on the connector."""
_LEVEL = r"[A-Za-z0-9_-]{1,40}"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HomeAssistantSettings(_Settings):
    """Home Assistant, which finds the device by itself."""

    enabled: bool = Field(True, description="whether the device announces itself, where home.broker names a broker")
    discovery_prefix: str = Field(
        "homeassistant", pattern=f"^{_LEVEL}(/{_LEVEL})?$", description="as set in Home Assistant's MQTT integration"
    )


class HermesSettings(_Settings):
    """The topics of Rhasspy."""

    enabled: bool = Field(False, description="whether the device speaks Hermes on home.broker")
    site: str | None = Field(None, pattern=f"^{_LEVEL}$", description="Rhasspy's siteId; none: the device's name")
    listen: bool = Field(
        False, description="let startListening open the microphone without a wake word, for whoever may publish there"
    )
    audio_captured: bool = Field(False, description="publish the sound of a clip where startListening asks for it")
    audio_frames: bool = Field(False, description="publish all that the microphone hears, all the time")


class HomeSettings(_Settings):
    """A broker of the home's own, on which the device tells what it does and takes a few orders."""

    broker: str | None = Field(None, description="mqtt://host:port or mqtts://host:port; none: nobody is told")
    user: str | None = Field(None, min_length=1, description="who the device is to that broker")
    password_file: Path | None = Field(None, description="a file whose first line is that user's password")
    ca_file: Path | None = Field(None, description="PEM: whom to believe that the broker is itself; none: the system's")
    certificate_file: Path | None = Field(None, description="PEM: who this device is, of its own, not the uplink's")
    key_file: Path | None = Field(None, description="PEM: the certificate's key; none where it is in the same file")
    allow_plain: bool = Field(False, description="let what is told go to another machine without TLS")
    texts: bool = Field(
        False, description="tell there what the far end understood and what the device said, readable to all on it"
    )
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    hermes: HermesSettings = HermesSettings()

    @field_validator("broker")
    @classmethod
    def _names_no_password(cls, broker: str | None) -> str | None:
        if broker is not None and "@" in broker:
            shown = f"{broker.partition('://')[0]}://...@{broker.rpartition('@')[2]}"
            why = "a run's manifest would show the password; name home.user and home.password_file instead"
            raise SettingFault((), shown, why)
        return broker

    @model_validator(mode="after")
    def _has_a_user(self) -> HomeSettings:
        if self.password_file is not None and self.user is None:
            raise ValueError("home.password_file is named, and home.user is not: name both, or neither")
        if self.hermes.enabled and self.broker is None:
            raise ValueError("home.hermes.enabled wants a broker: name home.broker")
        return self

    def url(self) -> str:
        """The broker with user and password; raises ConfigError where that file cannot be read."""
        assert self.broker is not None
        if self.user is None:
            return self.broker
        scheme, _, rest = self.broker.partition("://")
        return f"{scheme}://{quote(self.user, safe='')}{self._password()}@{rest}"

    def _password(self) -> str:
        if self.password_file is None:
            return ""
        try:
            lines = self.password_file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError(
                f"{self.password_file} cannot be read ({why}); name a file as home.password_file"
            ) from None
        if not lines or not lines[0]:
            raise ConfigError(f"{self.password_file} holds no password; write it into its first line")
        return f":{quote(lines[0], safe='')}"

    def access(self) -> Access:
        """What it takes to be let in; a user and a password stand in for a certificate."""
        return Access(
            ca_file=self.ca_file,
            certificate_file=self.certificate_file,
            key_file=self.key_file,
            allow_plain=self.allow_plain,
            limits=PROFILES["mosquitto"],
            named=self.user is not None,
        )


class GpioSettings(_Settings):
    """A light and a mute button on the pins of a Raspberry Pi, by their Broadcom numbers."""

    light_pin: Pin | None = Field(
        None, description="one light: on while listening, blinking while thinking or speaking"
    )
    red_pin: Pin | None = Field(None, description="a light of three colours, with green_pin and blue_pin")
    green_pin: Pin | None = Field(None, description="its second pin")
    blue_pin: Pin | None = Field(None, description="its third")
    active_high: bool = Field(True, description="whether a light is on while its pin is high")
    mute_pin: Pin | None = Field(None, description="closed to ground by the hand")
    mute_kind: Literal["button", "switch"] = Field(
        "button", description="a button turns the microphone off and on; a switch holds it off while it is closed"
    )

    @model_validator(mode="after")
    def _fit_together(self) -> GpioSettings:
        colours = (self.red_pin, self.green_pin, self.blue_pin)
        if any(pin is not None for pin in colours) and None in colours:
            raise ValueError("a light of three colours needs gpio.red_pin, gpio.green_pin and gpio.blue_pin")
        used = [pin for pin in (self.light_pin, *colours, self.mute_pin) if pin is not None]
        if len(set(used)) < len(used):
            raise ValueError("one pin is named twice; give each its own")
        return self

    @property
    def used(self) -> bool:
        """Whether any pin is named."""
        return any(pin is not None for pin in (self.light_pin, self.red_pin, self.mute_pin))

"""Home Assistant: the device announces itself as one device with its entities, and takes its mute switch from there.

After https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload: one retained message on
``<prefix>/device/<id>/config``, said again at each connection and whenever Home Assistant says that it has started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from device.audio import Block
from device.events import Event, Kind
from device.home.dialect import Answer, Post, Press, encode
from device.orders import Refused
from device.states import State
from uplink.link import Will
from uplink.message import JSON

_ONLINE, _OFFLINE = b"online", b"offline"
_LONGEST = 255
"""Characters of a state in Home Assistant; it refuses longer ones."""
_TEXTS = {"transcript": "last_heard", Kind.PROMPT: "last_said"}


def config_topic(prefix: str, name: str) -> str:
    """Where the device announces itself; an empty message there takes it away again."""
    return f"{prefix}/device/misheard-{name}/config"


def home_topic(name: str, what: str) -> str:
    """A topic of a device on the home's broker."""
    return f"misheard/home/{name}/{what}"


def _on(value: object) -> str:
    return "ON" if value else "OFF"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


class HomeAssistant:
    """One device as Home Assistant sees it; with `texts` also what was understood and said."""

    hears = False

    def __init__(self, name: str, prefix: str, texts: bool) -> None:
        self._name, self._prefix, self._texts = name, prefix, texts
        self._birth = f"{prefix}/status"
        self._switch = home_topic(name, "mute/set")
        self.topics: Sequence[str] = (self._birth, self._switch)
        texting = frozenset(_TEXTS) if texts else frozenset()
        self.kinds = texting | {
            *(Kind.STATE, Kind.LIGHT, Kind.MUTE, Kind.WAKE, Kind.NEAR_MISS),
            *("connected", "disconnected"),
        }
        self.will: Will | None = Will(home_topic(name, "availability"), _OFFLINE)
        self._facts: dict[str, JSON] = {
            "state": str(State.IDLE),
            "listening": "OFF",
            "mute": "OFF",
            "wakes": 0,
            "near_misses": 0,
            "far_end": "OFF",
        }

    def greet(self) -> Sequence[Post]:
        """Announce the device, say that it is there, and how it is."""
        here = Post(home_topic(self._name, "availability"), _ONLINE, retained=True)
        return (
            Post(config_topic(self._prefix, self._name), encode(self.discovery()), retained=True),
            here,
            self._now(),
        )

    def tell(self, event: Event) -> Sequence[Post]:
        """Say the state where it changed, and a wake as a moment."""
        facts: Mapping[str, Any] = event.facts
        posts: list[Post] = []
        match event.kind:
            case Kind.STATE:
                self._facts["state"] = facts["to"]
            case Kind.LIGHT:
                self._facts["listening"] = _on(facts["light"] == "listening")
            case Kind.MUTE:
                self._facts["mute"] = _on(facts["muted"])
            case Kind.WAKE:
                self._count("wakes")
                moment: dict[str, JSON] = {
                    "event_type": "wake",
                    "word": facts["word"],
                    "score": round(facts["score"], 4),
                }
                posts.append(Post(home_topic(self._name, "wake"), encode(moment)))
            case Kind.NEAR_MISS:
                self._count("near_misses")
            case "connected" | "disconnected":
                self._facts["far_end"] = _on(event.kind == "connected")
            case "transcript" | Kind.PROMPT:
                said = _short(str(facts["text"]))
                return (Post(home_topic(self._name, _TEXTS[event.kind]), said.encode()),)
        return (self._now(), *posts)

    def hear(self, block: Block) -> Sequence[Post]:  # noqa: ARG002 - Home Assistant hears nothing
        """Sound stays in the device."""
        return ()

    def obey(self, topic: str, payload: bytes) -> Sequence[Answer]:
        """Announce the device anew where Home Assistant has started; switch the microphone."""
        if topic == self._birth:
            return self.greet() if payload == _ONLINE else ()
        if payload not in (b"ON", b"OFF"):
            raise Refused("it is neither ON nor OFF")
        return (Press(payload == b"ON"),)

    def part(self) -> Sequence[Answer]:
        """Say that the device goes."""
        return (Post(home_topic(self._name, "availability"), _OFFLINE, retained=True),)

    def retained(self) -> tuple[str, ...]:
        """The topics under which the broker keeps something of this device."""
        return (
            config_topic(self._prefix, self._name),
            home_topic(self._name, "availability"),
            home_topic(self._name, "state"),
        )

    def _count(self, what: str) -> None:
        count = self._facts[what]
        assert isinstance(count, int)
        self._facts[what] = count + 1

    def _now(self) -> Post:
        return Post(home_topic(self._name, "state"), encode(self._facts), retained=True)

    def discovery(self) -> dict[str, JSON]:
        """The announcement: the device, who says so, and its entities."""
        ours = version("misheard")
        components: dict[str, JSON] = {key: self._entity(key, **entity) for key, entity in _ENTITIES.items()}
        components["wake"] = self._entity(
            "wake",
            platform="event",
            name="Wake",
            icon="mdi:account-voice",
            event_types=["wake"],
            state_topic=home_topic(self._name, "wake"),
        )
        components["mute"] = self._entity(
            "mute",
            platform="switch",
            name="Mute",
            icon="mdi:microphone-off",
            command_topic=self._switch,
            state_topic=home_topic(self._name, "state"),
            value_template="{{ value_json.mute }}",
        )
        for key, name in (("last_heard", "Last heard"), ("last_said", "Last said")):
            # An entity of a platform and nothing else is one that Home Assistant takes away.
            entity = {"name": name, "icon": "mdi:text", "state_topic": home_topic(self._name, key)}
            components[key] = self._entity(key, platform="sensor", **entity) if self._texts else {"platform": "sensor"}
        return {
            "dev": {
                "identifiers": [f"misheard_{self._name}"],
                "name": self._name,
                "manufacturer": "misheard",
                "model": "emulated smart speaker",
                "sw_version": ours,
            },
            "o": {"name": "misheard", "sw_version": ours},
            "availability_topic": home_topic(self._name, "availability"),
            "qos": 1,
            "cmps": components,
        }

    def _entity(self, key: str, **more: JSON) -> dict[str, JSON]:
        if "state_topic" not in more:
            more |= {"state_topic": home_topic(self._name, "state"), "value_template": f"{{{{ value_json.{key} }}}}"}
        return {"unique_id": f"misheard_{self._name}_{key}", **more}


_ENTITIES: Mapping[str, Mapping[str, JSON]] = {
    "state": {
        "platform": "sensor",
        "name": "State",
        "icon": "mdi:state-machine",
        "device_class": "enum",
        "options": [str(state) for state in State],
    },
    "listening": {"platform": "binary_sensor", "name": "Sound leaves the home", "icon": "mdi:broadcast"},
    "wakes": {"platform": "sensor", "name": "Wakes", "icon": "mdi:counter", "state_class": "total_increasing"},
    "near_misses": {
        "platform": "sensor",
        "name": "Near misses",
        "icon": "mdi:ear-hearing",
        "state_class": "total_increasing",
        "entity_category": "diagnostic",
    },
    "far_end": {
        "platform": "binary_sensor",
        "name": "Far end",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
    },
}
"""What is read off the state of the device."""

"""What a broker answers, as half a sentence: what it said, and the mend."""

from __future__ import annotations

SUCCESS = 0x00
NO_MATCHING_SUBSCRIBERS = 0x10
UNSPECIFIED = 0x80
UNSUPPORTED_VERSION = 0x84

_MENDS = {
    "not authorized": "check user name and password, or what the access rules grant this certificate's name",
    "bad user name or password": "check user name and password",
    "client identifier not valid": "give the device another name",
    "banned": "its operator has shut this client out; ask there",
    "bad authentication method": "use a client certificate, or user name and password",
    "server unavailable": "it is asked again by and by",
    "server busy": "it is asked again by and by",
    "server shutting down": "it is asked again by and by",
    "use another server": "name the other one with --broker",
    "server moved": "name the other one with --broker",
    "connection rate exceeded": "let fewer devices come back at once",
    "session taken over": "another client has come under the same name; give each device its own",
    "keep alive timeout": "the network between is slow or gone",
    "message rate too high": "name the broker's limits as broker_profile",
    "receive maximum exceeded": "lower in_flight",
    "quota exceeded": "raise the broker's quota for this client, or send less",
    "packet too large": "raise the broker's largest packet above 132,000 bytes",
    "topic name invalid": "the broker wants other topics than misheard has; use another broker",
    "topic filter invalid": "the broker wants other topics than misheard has; use another broker",
    "payload format invalid": "the broker checks what it carries; let it carry any bytes under misheard/",
    "shared subscriptions not supported": "run a single far end on this broker",
    "wildcard subscriptions not supported": "use another broker",
    "retain not supported": "let the broker keep retained messages",
    "unsupported protocol version": "use a broker that speaks MQTT 3.1.1 or 5",
}


def explained(reason: str, otherwise: str = "its log says more") -> str:
    """Give ``(reason); mend`` for a reason code by its name in MQTT 5, in any case; `otherwise` where none is known."""
    said = reason.strip().lower()
    return f"({said}); {_MENDS.get(said, otherwise)}"

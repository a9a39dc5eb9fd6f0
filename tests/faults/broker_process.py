"""The embedded broker in a process of its own, that may be killed at any moment: broker_process.py PORT."""

from __future__ import annotations

import sys
import threading

from uplink.broker import EmbeddedBroker

if __name__ == "__main__":
    with EmbeddedBroker(int(sys.argv[1])):
        threading.Event().wait()

"""The device, and what belongs to it, as services of systemd."""

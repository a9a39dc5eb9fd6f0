"""The firmware: what runs in the speaker."""

"""Data the programs ship: device profiles, scenarios with their speech, broker and service files."""

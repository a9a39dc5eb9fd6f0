"""The home: voices, people, rooms and what reaches the microphone."""

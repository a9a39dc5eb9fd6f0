"""The home: people, rooms and what reaches the microphones."""

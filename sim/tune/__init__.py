"""Which threshold fits a voice, a microphone and a place."""

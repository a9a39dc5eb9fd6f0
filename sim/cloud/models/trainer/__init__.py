"""Trains a small Vosk model of household English from rendered speech, with numpy alone."""

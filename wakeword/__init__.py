"""From samples to a wake decision."""

from wakeword.errors import EngineMissing, ModelError, SoundError, WakewordError
from wakeword.frames import HOP
from wakeword.scorer import Scorer, ScorerGroup, load_scorer, load_scorers
from wakeword.sound import RATE

__all__ = [
    "HOP",
    "RATE",
    "EngineMissing",
    "ModelError",
    "Scorer",
    "ScorerGroup",
    "SoundError",
    "WakewordError",
    "load_scorer",
    "load_scorers",
]

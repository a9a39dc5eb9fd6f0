"""The second look that was learned from reviewed clips, at the far end."""

from __future__ import annotations

from pathlib import Path

from sim.cloud.verifier import Opening
from sim.errors import VerifierError
from wakeword.errors import ModelError
from wakeword.second_look import SecondLook, load_learned
from wakeword.span import detection_of


class LearnedLook:
    """What a device with the same file would have made of the wake, to the last bit."""

    name = "learned"

    def __init__(self, model: Path) -> None:
        """Load it; raises VerifierError for a file that is no verifier."""
        try:
            self._look = SecondLook(load_learned(model))
        except ModelError as error:
            raise VerifierError(f"verifier.model: {error}") from None
        self.threshold = self._look.threshold

    def score(self, opening: Opening) -> float | None:
        """See `Look`: none for another word, and where the device's pre-roll was too short."""
        if opening.word != self._look.learned.word:
            return None
        return self._look.score(opening.samples[: detection_of(opening.word, opening.word_end)])

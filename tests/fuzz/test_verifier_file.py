"""Whatever the disk makes of a learned second look."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.fuzz.conftest import Hunt, one_sentence
from tests.fuzz.mutation import spoil
from wakeword.errors import ModelError
from wakeword.frames import EMBEDDING
from wakeword.models import EMBEDDING as EMBEDDING_MODEL
from wakeword.models import shared_model
from wakeword.second_look import Learned, load_learned


def test_a_verifier(hunt: Hunt[bytes], fast_folder: Path) -> None:
    about = {"format": 1, "word": "alexa", "model": "a" * 64, "embedding": shared_model(EMBEDDING_MODEL).sha256}
    whole = Learned(np.ones((1, EMBEDDING)), 0.1, 0.5, about).as_bytes()
    path = fast_folder / "v.npz"

    def read(data: bytes) -> str:
        path.write_bytes(data)
        try:
            load_learned(path)
        except ModelError as error:
            one_sentence(error)
            return "refused"
        return "read"

    assert read(whole) == "read"
    hunt("file of a verifier", lambda chance: spoil(chance, whole), read)

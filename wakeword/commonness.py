"""How common words are, by the language model that PocketSphinx brings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from wakeword.errors import EngineMissing
from wakeword.pronunciation import dictionary_path

_MAGIC = b"Trie Language Model"
_ORDER = 3
_TABLES = 3 * 65_536 * 4
"""Bytes of the quantised probabilities of longer sequences, which stand before the single words."""


def language_model_path() -> Path:
    """Where PocketSphinx keeps its language model; the package is not imported. Raises EngineMissing."""
    path = dictionary_path().with_name("en-us.lm.bin")
    if not path.is_file():
        raise EngineMissing(f"{path} is missing; install it again with: pip install --force-reinstall pocketsphinx")
    return path


_LONGEST = 32
"""Bytes of a word, on the average at most."""


@cache
def common_words(path: Path) -> tuple[str, ...]:
    """The words of a language model of three words in PocketSphinx's binary form, the commonest first.

    Raises EngineMissing where the file is none.
    """
    data = path.read_bytes()
    counts = len(_MAGIC) + 1
    if not data.startswith(_MAGIC) or data[len(_MAGIC)] != _ORDER:
        raise EngineMissing(f"{path} is no language model of three words as PocketSphinx 5 has it")
    n = int.from_bytes(data[counts : counts + 4], "little")
    begin = counts + 4 * _ORDER + 4 + _TABLES
    unigrams = np.frombuffer(data, np.dtype([("log", "<f4"), ("back_off", "<f4"), ("next", "<u4")]), n, begin)
    # The words come last, each ended by a zero byte, and so is their length before them while it is below 2 ** 24.
    words = data[-_LONGEST * n :].split(b"\0")[-n - 1 : -1]
    order = np.argsort(-unigrams["log"], kind="stable")
    return tuple(word for at in order.tolist() if (word := words[at].decode("utf-8")).strip("'").isalpha())

"""How words are pronounced: by the dictionary that PocketSphinx brings, and by rules where a word is not in it."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from wakeword.errors import EngineMissing
from wakeword.phones import Phones

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Pronouncer:
    """Gives the pronunciations of words; the same words give the same phones, whatever was asked before."""

    def __init__(self, dictionary: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Take a dictionary, which maps a word to its pronunciations, each phones with blanks between.

        Without one it is that of PocketSphinx; raises EngineMissing where that is not installed.
        """
        self._dictionary = read_dictionary(dictionary_path()) if dictionary is None else dictionary

    def word(self, word: str) -> tuple[Phones, ...]:
        """Give every pronunciation of one word, the usual one first; never none, but one may be empty."""
        known = self._dictionary.get(word) or self._dictionary.get(word.removesuffix("'"))
        return tuple(tuple(one.split()) for one in known) if known else (by_rules(word),)

    def words(self, text: str) -> list[tuple[Phones, ...]]:
        """Give the pronunciations of each word of a text."""
        return [self.word(word) for word in spoken_words(text)]

    def phones(self, text: str) -> Phones:
        """Give the usual pronunciation of a text."""
        return tuple(phone for word in self.words(text) for phone in word[0])


def spoken_words(text: str) -> list[str]:
    """The words of a text as the dictionary writes them: lower case, no accents, digits by name."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"[0-9]", lambda digit: f" {_DIGITS[int(digit[0])]} ", plain)
    return [word for word in (found.strip("'") for found in re.findall(r"[a-z']+", plain)) if word]


def dictionary_path() -> Path:
    """Where PocketSphinx keeps its dictionary; the package is not imported. Raises EngineMissing."""
    found = importlib.util.find_spec("pocketsphinx")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "model" / "en-us" / "cmudict-en-us.dict"
        if path.is_file():
            return path
    raise EngineMissing(
        "likeness of sound needs the pronouncing dictionary of PocketSphinx, which is not installed; "
        "install it with: pip install pocketsphinx"
    )


@cache
def read_dictionary(path: Path) -> Mapping[str, tuple[str, ...]]:
    """The pronunciations of each word, in the order of the file, whose lines are like ``record(2) R IH K AO R D``."""
    words: dict[str, tuple[str, ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition(" ")
        if phones:
            word = word.partition("(")[0]
            words[word] = (*words.get(word, ()), phones)
    return words


def _table(text: str) -> Mapping[str, str]:
    """What letters sound like, of a text like ``ph F / x K S``."""
    return {letters: phones for letters, _, phones in (entry.strip().partition(" ") for entry in text.split("/"))}


_SPELLINGS = _table(
    """
    tion SH AH N / sion ZH AH N / ough OW / eigh EY / igh AY / tch CH / dge JH / sch SH / chr K R / ch CH / sh SH /
    th TH / ph F / wh W / gh G / ck K / ng NG / qu K W / kn N / wr R / zh ZH / ee IY / ea IY / oo UW / ou AW / ow OW /
    oi OY / oy OY / ai EY / ay EY / au AO / aw AO / ie IY / ei EY / ey IY / oa OW / ue UW / ew UW / er ER / ir ER /
    ur ER / ar AA R / or AO R / ce S EH / ci S IH / cy S IY / x K S / a AE / b B / c K / d D / e EH / f F / g G /
    h HH / i IH / j JH / k K / l L / m M / n N / o AA / p P / q K / r R / s S / t T / u AH / v V / w W / y IH / z Z
    """
)
_AT_THE_END = _table("a AH / o OW / i IY / y IY / e / ia IY AH / io IY OW / le AH L / ce S / ge JH")
_LONG = _table("a EY / i AY / o OW / u UW / e IY")
_LONGEST = max(map(len, _SPELLINGS))


def by_rules(word: str) -> Phones:
    """Spell out a word of letters by the commonest English habits: a guess, good enough to compare names by."""
    word = re.sub(r"[^a-z]", "", word)
    phones: list[str] = []
    at = 0
    while at < len(word):
        said, length = _next_sound(word, at)
        if not phones or said.split()[:1] != phones[-1:]:  # a doubled letter is one sound
            phones += said.split()
        at += length
    return tuple(phones)


def _next_sound(word: str, at: int) -> tuple[str, int]:
    rest = word[at:]
    if at and rest in _AT_THE_END:
        return _AT_THE_END[rest], len(rest)
    if at == 0 and rest.startswith("y"):
        return "Y", 1
    if re.fullmatch(r"[aiou][bdfgklmnprstvz]e", rest):  # a silent e makes the vowel before it long
        return _LONG[rest[0]], 1
    for length in range(_LONGEST, 0, -1):
        if rest[:length] in _SPELLINGS:
            return _SPELLINGS[rest[:length]], length
    return "", 1

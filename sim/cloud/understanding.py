"""What heard words are taken for: the request, or the reply, that most speaks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from sim.cloud.contacts import ContactBook, Resolution
from sim.cloud.grammar import BODY, CONTACT, Sentence
from sim.cloud.interaction import InteractionModel, Reply, Request
from sim.cloud.likeness import Found, Phrases, Words
from wakeword.phonetics import Pronouncer, Where

Intent = TypeVar("Intent", bound=str)

_CONTACT, _BODY = f"{{{CONTACT}}}", f"{{{BODY}}}"


@dataclass(frozen=True)
class Eagerness:
    """How much it takes: likeness of phrases and of names, the share of sound in it, and what must be the request."""

    intent_score: float
    contact_score: float
    sound_share: float
    where: Where


@dataclass(frozen=True)
class Match(Generic[Intent]):
    """Words `begin` to `end` (exclusive) that were taken for an intent; `body` is where its message begins.

    reading: of which of several readings of a clip they are.
    """

    intent: Intent
    template: str
    phrase: str
    score: float
    needed: float
    evidence: float
    begin: int
    end: int
    slots: Mapping[str, int] = field(default_factory=dict)
    contact: Resolution | None = None
    body: int | None = None
    reading: int = 0


class Catalogue(Generic[Intent]):
    """The sentences of some intents, ready to be looked for."""

    def __init__(self, sentences: Mapping[Intent, Sequence[Sentence]], pronouncer: Pronouncer) -> None:
        self._sentences = [(intent, sentence) for intent, each in sentences.items() for sentence in each]
        first = [sentence.pieces[0] for _, sentence in self._sentences]
        self._first = Phrases(first, pronouncer)
        later = dict.fromkeys(piece for _, one in self._sentences for piece in one.pieces[1:] if piece[0] != "{")
        self._later = {piece: Phrases([piece], pronouncer) for piece in later}

    def best(self, heard: Words, eagerness: Eagerness, names: ContactBook | None = None) -> Match[Intent] | None:
        """The match with the most evidence, of equal ones the first in the model; None where nothing fits."""
        whole = eagerness.where == "whole"
        found: Sequence[Found] = self._find(self._first, heard, eagerness, "begin" if whole else "anywhere")
        alone: Sequence[Found] = self._find(self._first, heard, eagerness, "whole") if whole else found
        best: Match[Intent] | None = None
        for (intent, sentence), opening, only in zip(self._sentences, found, alone, strict=True):
            start = only if len(sentence.pieces) == 1 else opening
            if start.fits and (match := self._follow(intent, sentence, start, heard, eagerness, names)) is not None:
                best = match if best is None or match.evidence > best.evidence else best
        return best

    def nearest(self, heard: Words, eagerness: Eagerness) -> Match[Intent] | None:
        """What came nearest of all that does not fit, by the first words of its sentences; None where nothing does."""
        where: Where = "whole" if eagerness.where == "whole" else "anywhere"
        pairs = zip(self._sentences, self._find(self._first, heard, eagerness, where), strict=True)
        near = [(each, found) for each, found in pairs if found.score > 0 and not found.fits]
        if not near:
            return None
        (intent, sentence), found = max(near, key=lambda pair: pair[1].score - pair[1].needed)
        phrase = str(heard.cut(found.begin, found.end))
        evidence = found.evidence(eagerness.intent_score)
        return Match(intent, sentence.template, phrase, found.score, found.needed, evidence, found.begin, found.end)

    def _find(self, phrases: Phrases, heard: Words, eagerness: Eagerness, where: Where) -> list[Found]:
        return phrases.find(heard, where, eagerness.intent_score, eagerness.sound_share)

    def _follow(
        self,
        intent: Intent,
        sentence: Sentence,
        start: Found,
        heard: Words,
        eagerness: Eagerness,
        names: ContactBook | None,
    ) -> Match[Intent] | None:
        """Go on from where the first words of a sentence were found; None where the rest is not there."""
        fixed, at = [start], start.end
        contact: Resolution | None = None
        body: int | None = None
        for place, piece in enumerate(sentence.pieces[1:], 2):
            rest = heard.cut(at)
            where: Where = "whole" if eagerness.where == "whole" and place == len(sentence.pieces) else "begin"
            if piece == _BODY:
                if not len(rest):
                    return None
                body, at = at, len(heard)
            elif piece == _CONTACT:
                if names is None:
                    return None
                contact = names.resolve(rest, where, eagerness.contact_score, eagerness.sound_share)
                if not contact.found:
                    return None
                at += contact.end
            else:
                (next_one,) = self._find(self._later[piece], rest, eagerness, where)
                if not next_one.fits:
                    return None
                fixed.append(next_one)
                at += next_one.end
        length = sum(each.length for each in fixed)
        score = round(sum(each.score * each.length for each in fixed) / length, 4)
        evidence = sum(each.evidence(eagerness.intent_score) for each in fixed)
        if contact is not None:
            evidence += contact.evidence
        return Match(
            intent=intent,
            template=sentence.template,
            phrase=str(heard.cut(start.begin, at)),
            score=score,
            needed=start.needed,
            evidence=round(evidence, 6),
            begin=start.begin,
            end=at,
            slots=sentence.slots,
            contact=contact,
            body=body,
        )


class Understanding:
    """An interaction model and an address book, made ready once; understands any number of heard words."""

    def __init__(
        self,
        model: InteractionModel,
        names: ContactBook,
        pronouncer: Pronouncer,
        eagerness: Eagerness,
        without: frozenset[Request] = frozenset(),
    ) -> None:
        requests, replies = model.sentences()
        kept = {request: sentences for request, sentences in requests.items() if request not in without}
        self.names = names
        self._pronouncer = pronouncer
        self._eagerness = eagerness
        self._requests: Catalogue[Request] = Catalogue(kept, pronouncer)
        self._replies: dict[Reply, Catalogue[Reply]] = {
            reply: Catalogue({reply: sentences}, pronouncer) for reply, sentences in replies.items()
        }
        self._skip = {word for each in model.skip_words for word in Words.of([each], pronouncer).words}

    def words(self, words: Sequence[str], first: int = 0) -> Words:
        """Take what a recognizer wrote, from the word `first` on; where all must be the request, cut to it."""
        heard = Words.of(words, self._pronouncer)
        heard = heard.cut(sum(place < first for place in heard.places))
        return heard if self._eagerness.where != "whole" else self._stripped(heard)

    def request(self, heard: Sequence[Words]) -> Match[Request] | None:
        """What is asked for, of several readings of what was heard."""
        return _most(self._requests.best(one, self._eagerness, self.names) for one in heard)

    def nearest_request(self, heard: Sequence[Words]) -> Match[Request] | None:
        """What came nearest to being asked for."""
        found = [each for one in heard if (each := self._requests.nearest(one, self._eagerness)) is not None]
        return max(found, key=lambda each: each.score - each.needed, default=None)

    def reply(self, heard: Sequence[Words], one_of: Sequence[Reply], whole: bool = False) -> Match[Reply] | None:
        """Which of these replies was given, the first that was; with `whole`, it must be all that was said."""
        eagerness = replace(self._eagerness, where="whole") if whole else self._eagerness
        readings = [self._stripped(one) for one in heard] if whole else heard
        for reply in one_of:
            match = _most(self._replies[reply].best(one, eagerness) for one in readings)
            if match is not None:
                return match
        return None

    def contact(self, heard: Sequence[Words], among: Sequence[str] = ()) -> Resolution:
        """Whom the readings, one at least, name; with `among`, which of these of one name."""
        found = [self._name(one, among) for one in heard]
        return max(found, key=lambda each: (bool(each.found), each.evidence))  # the first of equal ones

    def _name(self, heard: Words, among: Sequence[str]) -> Resolution:
        eager = self._eagerness
        if among:
            return self.names.choose(among, heard, eager.where, eager.contact_score, eager.sound_share)
        return self.names.resolve(heard, eager.where, eager.contact_score, eager.sound_share)

    def _stripped(self, heard: Words) -> Words:
        begin, end = 0, len(heard)
        while begin < end and heard.words[begin] in self._skip:
            begin += 1
        while end > begin and heard.words[end - 1] in self._skip:
            end -= 1
        return heard.cut(begin, end)


def _most(matches: Iterable[Match[Intent] | None]) -> Match[Intent] | None:
    best: Match[Intent] | None = None
    for reading, match in enumerate(matches):
        if match is not None and (best is None or match.evidence > best.evidence):
            best = replace(match, reading=reading)
    return best

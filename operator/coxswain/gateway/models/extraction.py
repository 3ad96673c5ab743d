"""Finds the sentences of a text that have most in common with a question.

No model, no chance: the same text and question always give the same answer.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=[-*#])")
_SPACES = re.compile(r"\s+")
_COMMON_WORDS = (
    "a an and are as at be been but by can did do does for from had has have how i if in is it its me"
    " my no not of on or our read say says so tell than that the their them there they this to was"
    " we were what when where which who whom whose why will with you your file files text answer"
    " question please according document"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_SUFFIXES = ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s", "e")
_LONGEST_SENTENCE = 600
_LEAST_STEM = 3


def words(text: str) -> list[str]:
    """The words that mean something, cut down to a rough stem."""
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in _COMMON]


def sentences(text: str) -> list[str]:
    """The text in sentences, white space made plain."""
    found = (_SPACES.sub(" ", part).strip() for part in _SENTENCE_END.split(text))
    return [part[:_LONGEST_SENTENCE] for part in found if _WORD.search(part)]


def best(question: str, text: str, *, most: int = 2) -> list[str]:
    """At most so many sentences that share rare words with the question, in the text's order."""
    candidates = sentences(text)
    scores = _scores(set(words(question)), candidates)
    ranked = sorted(range(len(candidates)), key=lambda index: (-scores[index], index))
    chosen = [index for index in ranked[:most] if scores[index] > 0.5 * scores[ranked[0]]]
    return [candidates[index] for index in sorted(chosen)]


def overlap(question: str, text: str) -> float:
    """How well the best sentence fits; 0 when nothing does."""
    return max(_scores(set(words(question)), sentences(text)), default=0.0)


def _scores(wanted: set[str], candidates: Sequence[str]) -> list[float]:
    found = [set(words(candidate)) for candidate in candidates]
    frequency = Counter(word for each in found for word in each & wanted)
    total = len(candidates)
    return [
        # Rare words count more; of two sentences with the same words the shorter one wins.
        sum(math.log(1 + total / frequency[word]) for word in each & wanted)
        / math.sqrt(10 + len(each))
        for each in found
    ]


def _stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _LEAST_STEM:
            return word[: -len(suffix)]
    return word

"""Statistics of told stories: how varied they are, how they repeat themselves, which words they make up, how long they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
REPEATED = 4
"""Words of a phrase whose coming again counts as repetition."""
DISTINCT = (1, 2, 3)
"""Lengths of the phrases that are counted for distinct-n."""


@dataclass(frozen=True)
class ToldStory:
    """A story that a model told."""

    text: str
    tokens: int
    ended: bool
    """Whether the model ended it; else it was cut off."""


@dataclass(frozen=True)
class StoryStatistics:
    """What is to be said of some stories together."""

    count: int
    distinct: dict[int, float]
    """Share of the phrases of so many words that are different, over all stories (Li et al., NAACL 2016): higher is more varied."""
    repetition: float
    """Share of the phrases of four words that stood in the same story before, over all stories (seq-rep-4, Welleck et al., ICLR 2020)."""
    unknown_words: float | None
    """Share of the words that the training text does not have; None where that text is not at hand."""
    unknown_examples: tuple[str, ...]
    """The most frequent of those."""
    words: float
    """Of a story, on average."""
    tokens: float
    """Of a story, on average."""
    ended: float
    """Share of the stories that the model ended itself."""


def readable(text: str) -> str:
    """A story as people read it: a vocabulary without a piece for the line end tells ``<unk>`` in its place."""
    return text.replace("<unk>", "\n")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: runs of letters, apostrophes between them included."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def statistics(stories: Sequence[ToldStory], known: Collection[str] | None, *, examples: int = 8) -> StoryStatistics:
    """Look at some stories.

    Args:
        stories: at least one.
        known: the words of the training text; None: nobody knows them.
        examples: how many unknown words to name at most.
    """
    told = [_whole_words(story) for story in stories]
    phrases = [_phrases(words, REPEATED) for words in told]
    total = sum(map(len, phrases))
    unknown = [word for words in told for word in words if known is not None and word not in known]
    count = sum(map(len, told))
    return StoryStatistics(
        count=len(stories),
        distinct={length: _distinct(told, length) for length in DISTINCT},
        repetition=1 - sum(len(set(each)) for each in phrases) / total if total else 0.0,
        unknown_words=None if known is None else len(unknown) / count if count else 0.0,
        unknown_examples=_most_frequent(unknown, examples),
        words=fmean(map(len, told)),
        tokens=fmean(story.tokens for story in stories),
        ended=fmean(story.ended for story in stories),
    )


def _whole_words(story: ToldStory) -> list[str]:
    """The words of a story; where it was cut off within one, that one is none."""
    words = words_of(story.text)
    return words[:-1] if not story.ended and story.text[-1:].isalpha() else words


def _phrases(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + length]) for place in range(len(words) - length + 1)]


def _distinct(told: Iterable[Sequence[str]], length: int) -> float:
    phrases = [phrase for words in told for phrase in _phrases(words, length)]
    return len(set(phrases)) / len(phrases) if phrases else 0.0


def _most_frequent(words: Sequence[str], count: int) -> tuple[str, ...]:
    """The most frequent words; equals in the order of the alphabet."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:count])

"""Statistics of told stories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.report.stories import StoryStatistics, ToldStory, statistics, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Once upon a time,", ["once", "upon", "a", "time"]),
        ("“Don’t!” said O'Neill's 3 cats—élan", ["don't", "said", "o'neill's", "cats", "élan"]),
        ("'tis 'quoted' a_b 12", ["tis", "quoted", "a", "b"]),
        ("", []),
    ],
)
def test_words_are_runs_of_letters(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_two_stories_are_looked_at_together() -> None:
    stories = [ToldStory("the cat sat", 9, True), ToldStory("The cat ran the blick, so", 11, False)]
    assert statistics(stories, {"the", "cat", "sat", "ran"}) == StoryStatistics(
        count=2,
        distinct={1: 5 / 8, 2: 5 / 6, 3: 1.0},
        repetition=0.0,
        unknown_words=1 / 8,
        unknown_examples=("blick",),
        words=4.0,
        tokens=10.0,
        ended=0.5,
    )


def test_repetition_is_a_phrase_of_four_words_that_comes_again_in_its_story() -> None:
    again = ToldStory("he ran and ran and ran and ran", 8, True)  # ran and ran and, and ran and ran: each once more
    once = ToldStory("he ran and then he sat", 6, True)
    assert statistics([again], None).repetition == 2 / 5
    assert statistics([again, once], None).repetition == 2 / 8
    assert statistics([once, once], None).repetition == 0.0


def test_without_the_training_text_nobody_knows_which_words_are_unknown() -> None:
    found = statistics([ToldStory("blick", 1, True)], None)
    assert (found.unknown_words, found.unknown_examples) == (None, ())


def test_stories_without_words_are_no_error() -> None:
    found = statistics([ToldStory("...", 3, True)], {"a"})
    assert (found.distinct, found.repetition, found.unknown_words, found.words) == (
        {1: 0.0, 2: 0.0, 3: 0.0},
        0.0,
        0.0,
        0.0,
    )


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6))
def test_shares_are_shares(texts: list[str]) -> None:
    found = statistics([ToldStory(text, len(text), True) for text in texts], {"a", "b"})
    shares = [*found.distinct.values(), found.repetition, found.unknown_words, found.ended]
    assert all(share is not None and 0 <= share <= 1 for share in shares)

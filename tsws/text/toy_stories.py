"""``builtin:toy-stories``: stories for small children, written by a seeded grammar that needs no network.

They are made in the manner of TinyStories (Eldan and Li, 2023): simple past English, a child or an animal, a
problem, a helper, an outcome, a lesson. As every choice of the grammar is counted, the entropy of the text is known: no
model can reach a lower loss on it, save by learning the stories by heart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tsws.errors import InterruptedByUser
from tsws.io.atomic import atomic_writer
from tsws.text.corpus import DELIMITER
from tsws.text.toy_grammar import Node, Teller
from tsws.text.toy_plots import PLOTS
from tsws.text.toy_reader import read_grammar
from tsws.text.toy_rules import RULES
from tsws.text.toy_words import WORDS

DEFAULT_STORIES = 10_000
"""About 7 MB."""

RULE_VERSION = 1
"""Goes up when the same seed would give other stories."""

FIRST_VALIDATION_INDEX = 1 << 40
"""Validation stories have indexes from here on, so that more training stories never reach them."""

_REPORT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Story:
    """A story and how surprising it is."""

    text: str
    nats: float
    """-ln of the probability with which the grammar writes this text."""


@dataclass(frozen=True, slots=True)
class ToySet:
    """Sums over the stories of a file; what ends a story is in ``bytes`` alone."""

    stories: int
    characters: int
    bytes: int
    nats: float

    @property
    def nats_per_character(self) -> float:
        """The loss, in nats a character, of a model that knows the grammar."""
        return self.nats / self.characters


@dataclass(frozen=True, slots=True)
class ToyStats:
    """What was written."""

    train: ToySet
    valid: ToySet

    @property
    def nats_per_character(self) -> float:
        """The entropy of the text, in nats a character, measured over all stories: the floor of any model's loss."""
        return (self.train.nats + self.valid.nats) / (self.train.characters + self.valid.characters)


def story(seed: int, index: int) -> Story:
    """The story at ``index`` of the endless row that ``seed`` names; it depends on these two numbers only."""
    teller = Teller(seed, index)
    grammar()["story"].tell(teller)
    return Story("".join(teller.parts), teller.nats)


@cache
def grammar() -> dict[str, Node]:
    """The grammar of the stories, by name of rule or plot; ``story`` tells a whole one."""
    return read_grammar(WORDS, RULES, PLOTS)


def validation_stories(stories: int) -> int:
    """How many stories go to validation when nothing is said: a twentieth, and at least one."""
    return max(1, stories // 20)


def write_toy_stories(
    train: Path,
    valid: Path,
    *,
    stories: int = DEFAULT_STORIES,
    seed: int = 0,
    valid_stories: int | None = None,
    progress: Callable[[float, float | None], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> ToyStats:
    """Write the stories into two files, atomically, in the layout of TinyStoriesV2.

    Each story is followed by a line ``<|endoftext|>``. No story for validation is one for training.

    Args:
        train: file for the stories 0 to ``stories`` - 1 of the seed.
        valid: file for those from ``FIRST_VALIDATION_INDEX`` on.
        stories: how many stories to train on.
        seed: names the row of stories.
        valid_stories: how many for validation; None: :func:`validation_stories`.
        progress: told how many stories are written, and of how many.
        stop: asked now and then whether to stop.

    Raises:
        InterruptedByUser: ``stop`` said so; a file that was not finished is not there.
        OSError: a file can not be written.
    """
    wanted = validation_stories(stories) if valid_stories is None else valid_stories
    total = stories + wanted
    written = 0
    seen: set[bytes] = set()

    def told(index: int) -> Story:
        nonlocal written
        if written % _REPORT_EVERY == 0:
            if stop():
                raise InterruptedByUser("stopped while writing toy stories", hint="Run it again to write them.")
            if progress is not None:
                progress(written, total)
        written += 1
        return story(seed, index)

    def training() -> Iterator[Story]:
        for index in range(stories):
            one = told(index)
            seen.add(_mark(one))
            yield one

    def validation() -> Iterator[Story]:
        index = FIRST_VALIDATION_INDEX
        left = wanted
        while left:
            one = told(index)
            index += 1
            if _mark(one) not in seen:
                left -= 1
                yield one

    stats = ToyStats(_write(train, training()), _write(valid, validation()))
    if progress is not None:
        progress(total, total)
    return stats


def _write(path: Path, stories: Iterator[Story]) -> ToySet:
    count = characters = size = 0
    nats = 0.0
    with atomic_writer(path) as file:
        for one in stories:
            size += file.write(f"{one.text}\n{DELIMITER}\n".encode())
            characters += len(one.text)
            nats += one.nats
            count += 1
    return ToySet(count, characters, size, nats)


def _mark(one: Story) -> bytes:
    return hashlib.blake2b(one.text.encode(), digest_size=16).digest()

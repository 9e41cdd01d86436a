"""How good a model is: what it takes to predict a text, and what its stories are like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tsws.errors import FormatError, TswsError
from tsws.job import Asked
from tsws.plugin import Plugins
from tsws.report.scores import Scores, count_bytes, piece_bytes
from tsws.report.stories import StoryStatistics, statistics, words_of
from tsws.resources.remote import RemoteRunRule
from tsws.resources.run import RunRule
from tsws.resources.shadow import shadow_folder
from tsws.resources.shards import chosen_shards, shard_files
from tsws.resources.tokens import train_and_validation
from tsws.text.corpus import stories_of
from tsws.text.llama2c_tokenizer import BOS_ID, EOS_ID, Llama2cTokenizer
from tsws.text.shards import open_shard
from tsws.workspace.context import Context
from tsws.workspace.playables import Playable
from tsws.workspace.predictors import Predictor, Tokens, open_predictor

KNOWN_TOKENS = 20_000_000
"""Of the training text, whose words are known; TinyStories' vocabulary has long been seen by then."""
FILE_TOKENS = 1 << 20
"""Tokens of a text that are predicted at most, unless more are asked for."""
_UNK_ID = 0


@dataclass(frozen=True)
class Texts:
    """What a model is evaluated on."""

    name: str
    """For people."""
    held_out: tuple[Path, ...]
    """Token shards, or a text; nothing where there is none."""
    training: tuple[Path, ...]
    """Of what was learned from, for its words."""
    tokens: int = FILE_TOKENS
    """Of the held-out text that are usually predicted."""


@dataclass(frozen=True)
class Evaluation:
    """What was found out."""

    label: str
    """Of the model."""
    engine: str
    data: str
    """Name of what was predicted; empty without."""
    scores: Scores | None
    stories: StoryStatistics | None


def texts_of_run(context: Context, name: str) -> Texts:
    """The validation set and the training set of a run.

    Raises:
        PlanError: there is no such run.
        TswsError: the tokens are not on this machine.
    """
    name = name.removeprefix("run.")
    address = f"run.{name}"
    resource, store = context.expansion.graph[address], context.store
    if isinstance(resource.rule, RemoteRunRule):
        graph, store = resource.rule.there()
        resource = graph[address]
    rule = resource.rule
    record = store.record(rule.data) if isinstance(rule, RunRule) else None
    train: Sequence[Path] = ()
    val: Sequence[Path] = ()
    if isinstance(rule, RunRule) and record is not None:
        if rule.dataset.format == "shards":
            train, val = chosen_shards(address, rule.dataset, shard_files(record, store.root))
        else:
            train, val = train_and_validation(record, store.root)
    is_shadow = store.root.is_relative_to(shadow_folder(context.root, "any").parent)  # whose files are empty
    here = not is_shadow and all(path.is_file() for path in (*train, *val))
    if not isinstance(rule, RunRule) or not val or not here:
        wanted = rule.data if isinstance(rule, RunRule) else address
        raise TswsError(
            f"the tokens that {address} is evaluated on are not on this machine",
            hint=f"`tsws apply {wanted}` makes them; or name a text: --data FILE",
        )
    return Texts(f"validation set of {rule.data}", tuple(val), tuple(train), rule.hyperparameters().eval_tokens)


def evaluate(playable: Playable, texts: Texts, asked: Asked, plugins: Plugins) -> Evaluation:
    """Evaluate a model.

    The held-out tokens are predicted in the rows of training: as many whole rows as fit, each on its own. For a run that is
    the validation loss of its training.

    Raises:
        FormatError: a file is broken, or the tokens are not the model's.
        BuildError: the native library is wanted, and can not be compiled.
        OSError: a file can not be read.
    """
    with open_predictor(playable, asked.engine, plugins) as model:
        words = Llama2cTokenizer.load(playable.tokenizer, model.vocab_size)
        scores = _scores(model, words, texts, asked) if texts.held_out else None
        told = None
        if asked.stories:
            stories = model.tell(
                asked.prompt,
                count=asked.stories,
                temperature=asked.temperature,
                top_p=asked.top_p,
                steps=asked.steps,
                seed=asked.seed,
            )
            told = statistics(stories, _known_words(texts.training, words) if texts.training else None)
        return Evaluation(playable.label, model.engine, texts.name, scores, told)


def _scores(model: Predictor, words: Llama2cTokenizer, texts: Texts, asked: Asked) -> Scores:
    lengths = piece_bytes(words.pieces, unknown=_UNK_ID, control=(BOS_ID, EOS_ID))
    spaced = np.array([piece.startswith(b" ") for piece in words.pieces])
    width = model.max_seq_len
    wanted = texts.tokens if asked.tokens is None else asked.tokens
    left = max(1, wanted // width) if wanted else None
    nats, tokens, size = 0.0, 0, 0
    for path in texts.held_out:
        stream = _stream(model, path)
        rows = (len(stream) - 1) // width
        rows = rows if left is None else min(rows, left)
        if rows < 1:
            continue
        left = None if left is None else left - rows
        kept = stream[: rows * width + 1]
        if int(kept.max()) >= model.vocab_size:
            raise FormatError(
                f"{path} holds the token {kept.max()}, but the model knows {model.vocab_size}",
                hint="name tokens that were made with the model's own tokenizer, or a text",
            )
        nats += model.nats([kept[row * width : (row + 1) * width + 1] for row in range(rows)])
        tokens += rows * width
        size += count_bytes(kept, lengths, bos=BOS_ID, spaced=spaced)
    if not tokens:
        raise FormatError(
            f"{texts.name} is too short: one row of {width} tokens and what follows it is needed",
            hint="name a longer text",
        )
    return Scores(nats, tokens, size)


def _stream(model: Predictor, path: Path) -> Tokens:
    """The tokens of a shard, or of a text's stories one after another."""
    if path.suffix == ".bin":
        return open_shard(path)
    encoded = [model.encode(story) for story in stories_of(path, "json" if path.suffix == ".json" else "text")]
    return (
        np.concatenate([np.array(tokens, dtype=np.int64) for tokens in encoded]) if encoded else np.empty(0, np.int64)
    )


def _known_words(paths: Sequence[Path], words: Llama2cTokenizer) -> set[str]:
    """The words of the first :data:`KNOWN_TOKENS` tokens of some shards, or of texts."""
    known: set[str] = set()
    left = KNOWN_TOKENS
    for path in paths:
        if path.suffix != ".bin":
            known.update(word for story in stories_of(path) for word in words_of(story))
            continue
        tokens = open_shard(path)[:left]
        left -= len(tokens)
        for text in _texts(tokens, words):
            known.update(words_of(text))
        if left <= 0:
            break
    return known


def _texts(tokens: npt.NDArray[np.uint16], words: Llama2cTokenizer) -> Iterator[str]:
    """The text of tokens, in parts that end with a story."""
    pieces = [words.decode_piece(0, token) for token in range(words.vocab_size)]
    pieces[_UNK_ID] = pieces[BOS_ID] = pieces[EOS_ID] = b"\n"
    begins = np.flatnonzero(tokens == BOS_ID)[::1000]
    for first, last in zip([0, *begins], [*begins, len(tokens)], strict=True):
        yield b"".join(map(pieces.__getitem__, tokens[first:last].tolist())).decode("utf-8", "replace")

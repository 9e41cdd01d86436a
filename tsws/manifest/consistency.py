"""Keys of one table that have to fit together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from tsws.io.durations import parse_duration
from tsws.manifest import sources
from tsws.manifest.problems import KeyPath, Problem, quoted
from tsws.manifest.shapes import keys_of
from tsws.manifest.shards import parse_fraction, parse_shards
from tsws.manifest.specs import DatasetSpec, ModelSpec, RunSpec, TokenizerSpec

_TRAINING_ONLY = ("vocab_size", "character_coverage", "byte_fallback", "split_digits")
"""Keys of a tokenizer that only say how to train it."""
_FEWEST_WITH_BYTES = 3 + 256 + 2
"""What sentencepiece needs at least: `<unk>`, `<s>`, `</s>`, the bytes, the space and one character."""
_FINISHED_ONLY = ("tokenizer", "path", "sha256")
"""Keys of a model that only a finished one has."""
_FLOAT_NOISE = 1e-12


def check_dataset(path: KeyPath, spec: DatasetSpec, given: dict[str, Any]) -> Iterator[Problem]:
    """Source, format and the validation set of a dataset."""
    builtin = isinstance(spec.source, str) and spec.source.startswith(sources.BUILTIN)
    if isinstance(spec.source, list):
        if not spec.source:
            yield Problem((*path, "source"), "expected at least one path or URI, found an empty list")
        for index, source in enumerate(spec.source):
            if source.startswith(sources.BUILTIN):
                yield Problem((*path, "source", index), "a builtin source stands alone, not in a list")
        if spec.sha256 is not None:
            yield Problem((*path, "sha256"), "one digest can not be that of several files")
    if builtin and spec.format != "text":
        yield Problem((*path, "format"), f"{spec.source} is text, not {spec.format}")
    if builtin and spec.sha256 is not None:
        yield Problem((*path, "sha256"), "only of a file that is fetched, not of a builtin source")
    for key in ("stories", "seed"):
        if key in given and not builtin:
            yield Problem((*path, key), "only for a builtin source, such as `builtin:toy-stories`")
    yield from _check_shards(path, spec) if spec.format == "shards" else _check_text(path, spec)


def _check_text(path: KeyPath, spec: DatasetSpec) -> Iterator[Problem]:
    for key, value in (("tokenizer", spec.tokenizer), ("train", spec.train)):
        if value is not None:
            yield Problem((*path, key), f'only for `format = "shards"`, and this is {spec.format}')
    if spec.val is not None:
        try:
            parse_fraction(spec.val)
        except ValueError as error:
            yield Problem((*path, "val"), f"{error}, found {quoted(spec.val)}")
        if spec.val_source is not None:
            yield Problem((*path, "val"), "give either `val` or `val_source`, not both")


def _check_shards(path: KeyPath, spec: DatasetSpec) -> Iterator[Problem]:
    if spec.tokenizer is None:
        yield Problem((*path, "tokenizer"), "expected the tokenizer that the shards were made with, but it is missing")
    if spec.val_source is not None:
        yield Problem((*path, "val_source"), 'only for text; for shards, `val` says which: `val = "45"`')
    chosen: dict[str, frozenset[int]] = {}
    for key, value in (("train", spec.train), ("val", spec.val)):
        if value is not None:
            try:
                chosen[key] = parse_shards(value)
            except ValueError as error:
                yield Problem((*path, key), f"{error}, found {quoted(value)}")
    both = sorted(chosen.get("train", frozenset()) & chosen.get("val", frozenset()))
    if both:
        what = f"shard {both[0]} is" if len(both) == 1 else f"{len(both)} shards, the first {both[0]}, are"
        yield Problem((*path, "val"), f"{what} in `train`, too: validation must be on other stories")


def check_tokenizer(path: KeyPath, spec: TokenizerSpec, given: dict[str, Any]) -> Iterator[Problem]:
    """Given or trained here: one of them, with the keys that belong to it."""
    if spec.source is None and spec.train is None:
        yield Problem(path, "expected `source` (a finished tokenizer) or `train` (the dataset to train it on)")
    elif spec.source is not None and spec.train is not None:
        yield Problem((*path, "train"), "give either `source` or `train`, not both")
    elif spec.source is not None:
        for key in _TRAINING_ONLY:
            if key in given:
                yield Problem((*path, key), "only for a tokenizer that is trained here; this one has a `source`")
    else:
        if spec.vocab_size is None:
            yield Problem((*path, "vocab_size"), "expected the number of pieces to train, but it is missing")
        elif spec.byte_fallback and spec.vocab_size < _FEWEST_WITH_BYTES:
            message = (
                f"expected at least {_FEWEST_WITH_BYTES}, as the bytes alone take 256 pieces, found {spec.vocab_size}"
            )
            yield Problem((*path, "vocab_size"), f"{message}; or say `byte_fallback = false`")
        if spec.sha256 is not None:
            yield Problem((*path, "sha256"), "only of a file that is fetched; this tokenizer is trained here")


def check_model(path: KeyPath, spec: ModelSpec, given: dict[str, Any]) -> Iterator[Problem]:
    """An architecture with its sizes, or a finished model: not a mixture."""
    if spec.source is not None:
        if spec.tokenizer is None:
            yield Problem((*path, "tokenizer"), "expected the tokenizer of the finished model, but it is missing")
        for key in keys_of(ModelSpec).keys() - {"source", *_FINISHED_ONLY}:
            if key in given:
                yield Problem((*path, key), "a finished model (`source`) has this from its file")
        return
    for key in _FINISHED_ONLY:
        if key in given:
            yield Problem((*path, key), "only for a finished model, which has a `source`")
    if spec.dim % spec.n_heads:
        yield Problem((*path, "n_heads"), f"expected a divisor of dim = {spec.dim}, found {spec.n_heads}")
    elif spec.arch == "llama" and spec.dim // spec.n_heads % 2:
        head_size = spec.dim // spec.n_heads
        message = f"a head has dim / n_heads = {spec.dim} / {spec.n_heads} = {head_size} numbers; rotary positions need"
        yield Problem((*path, "n_heads"), f"{message} an even count")
    if spec.arch == "gpt" and spec.n_kv_heads not in (None, spec.n_heads):
        message = f"every head of a gpt has keys and values of its own: expected none, found {spec.n_kv_heads}"
        yield Problem((*path, "n_kv_heads"), message)
    elif spec.n_kv_heads is not None and spec.n_heads % spec.n_kv_heads:
        yield Problem((*path, "n_kv_heads"), f"expected a divisor of n_heads = {spec.n_heads}, found {spec.n_kv_heads}")


def check_run(path: KeyPath, spec: RunSpec) -> Iterator[Problem]:
    """Schedule and intervals of a run."""
    if isinstance(spec.checkpoint_interval, str):
        try:
            if parse_duration(spec.checkpoint_interval) <= 0:
                raise ValueError("no time at all")
        except ValueError:
            found = quoted(spec.checkpoint_interval)
            message = f'expected steps (100) or a duration ("90s", "5m", "1h30m"), found {found}'
            yield Problem((*path, "checkpoint_interval"), message)
    if spec.warmup_iters is not None and spec.warmup_iters >= spec.max_iters:
        message = f"expected less than max_iters = {spec.max_iters}, found {spec.warmup_iters}"
        yield Problem((*path, "warmup_iters"), message)
    if spec.lr_decay_iters is not None and spec.lr_decay_iters <= (spec.warmup_iters or 0):
        message = f"expected more than warmup_iters = {spec.warmup_iters}, found {spec.lr_decay_iters}"
        yield Problem((*path, "lr_decay_iters"), message)
    if spec.learning_rate is not None and spec.min_lr is not None and spec.min_lr > spec.learning_rate + _FLOAT_NOISE:
        message = f"expected at most learning_rate = {spec.learning_rate:g}, found {spec.min_lr:g}"
        yield Problem((*path, "min_lr"), message)
    together = spec.processes * spec.nodes
    if spec.batch_size % (together // math.gcd(spec.gradient_accumulation_steps, together)):
        rows = spec.batch_size * spec.gradient_accumulation_steps
        message = f"{together} processes can not share the {rows} rows of a step evenly"
        hint = f"choose `gradient_accumulation_steps` or `batch_size` as a multiple of {together}"
        yield Problem((*path, "processes"), f"{message}; {hint}")
    schedule = spec.schedule or ("cosine" if spec.recipe == "llama2c" else None)
    if spec.decay_fraction is not None and schedule not in (None, "wsd"):
        yield Problem((*path, "decay_fraction"), f'only for `schedule = "wsd"`, and this is {schedule}')
    if spec.lr_decay_iters is not None and schedule not in (None, "cosine"):
        yield Problem((*path, "lr_decay_iters"), f'only for `schedule = "cosine"`, and this is {schedule}')

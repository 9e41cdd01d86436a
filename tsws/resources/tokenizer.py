"""Tokenizers: a sentencepiece model, given or trained here, with its ``.vocab`` and llama2.c's ``.bin`` beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tsws.io.atomic import write_bytes
from tsws.manifest.outputs import tokenizer_paths
from tsws.manifest.specs import DatasetSpec, TokenizerSpec
from tsws.plugin import Plugins
from tsws.reconcile.action import Change, Estimate
from tsws.reconcile.facts import Facts
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.resources.dataset import TRAIN, has_validation, text_files
from tsws.resources.sourcing import Fetching, estimate_fetch, own_files
from tsws.resources.tokens import val_fraction

MODEL, VOCAB, BIN = "tokenizer.model", "tokenizer.vocab", "tokenizer.bin"
"""Roles of the three files."""


def tokenizer_resource(
    name: str, spec: TokenizerSpec, datasets: dict[str, DatasetSpec], plugins: Plugins, root: Path
) -> Resource:
    """The resource of one ``[tokenizer.NAME]``."""
    where = tokenizer_paths(name, spec)
    paths = (str(where.model), str(where.vocab), str(where.bin))
    address = f"tokenizer.{name}"
    if spec.train is None:
        sources = own_files(spec.source)
        return Resource(
            address=address,
            rule=GivenRule(spec, paths, plugins, root),
            identity={"source": spec.source, "sha256": spec.sha256},
            sources=sources,
            outputs=paths,
        )
    dataset = datasets[spec.train]
    return Resource(
        address=address,
        rule=TrainedRule(spec, paths, dataset),
        identity={
            "vocab_size": spec.vocab_size,
            "character_coverage": spec.character_coverage,
            "byte_fallback": spec.byte_fallback,
            "split_digits": spec.split_digits,
            "format": dataset.format,
            "val": val_fraction(dataset),
        },
        inputs=(f"dataset.{spec.train}",),
        outputs=paths,
    )


@dataclass(frozen=True)
class GivenRule(BaseRule):
    """A finished sentencepiece model is brought, checked, and written in llama2.c's format too."""

    spec: TokenizerSpec
    paths: tuple[str, str, str]
    plugins: Plugins
    root: Path

    version = 1

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:  # noqa: ARG002
        """What is to be fetched."""
        return estimate_fetch(self.root, (self.spec.source or "",), change)

    def make(self, making: Making) -> Result:
        """Bring the model."""
        source, sha256 = self.spec.source or "", self.spec.sha256
        model, owned = Fetching(self.plugins).bring_one(making, source, place=self.paths[0], sha256=sha256)
        return _files_of(making, model, self.paths, owned=owned)


@dataclass(frozen=True)
class TrainedRule(BaseRule):
    """Trained on the stories for training, never on those for validation."""

    spec: TokenizerSpec
    paths: tuple[str, str, str]
    dataset: DatasetSpec

    version = 1

    def make(self, making: Making) -> Result:
        """Train with sentencepiece."""
        from tsws.text.corpus import split, stories_of
        from tsws.text.tokenizer import train_tokenizer

        record = making.inputs[f"dataset.{self.spec.train}"]
        form = "json" if self.dataset.format == "json" else "text"
        paths = text_files(record, making.root, TRAIN)
        stories = (story for path in paths for story in stories_of(path, form))  # type: ignore[arg-type]
        if not has_validation(record):
            stories = split(stories, val_fraction(self.dataset), "train")  # type: ignore[assignment]
        model = making.folder / "tokenizer.model"
        making.progress("training the tokenizer", "")(0, None)
        train_tokenizer(
            stories,
            model,
            vocab_size=self.spec.vocab_size or 0,
            character_coverage=self.spec.character_coverage,
            byte_fallback=self.spec.byte_fallback,
            split_digits=self.spec.split_digits,
            threads=os.cpu_count() or 1,
        )
        return _files_of(making, model, self.paths)


def _files_of(making: Making, model: Path, paths: tuple[str, str, str], *, owned: bool = True) -> Result:
    """The model and what is derived from it."""
    from tsws.text.tokenizer import Tokenizer, llama2c_bin, vocab_text

    vocab, binary = making.folder / "tokenizer.vocab", making.folder / "tokenizer.bin"
    size = Tokenizer(model).vocab_size
    write_bytes(vocab, vocab_text(model))
    write_bytes(binary, llama2c_bin(model))
    files = [
        Made(MODEL, model, paths[0] if owned else None, owned=owned),
        Made(VOCAB, vocab, paths[1]),
        Made(BIN, binary, paths[2]),
    ]
    return Result(files, {"vocab_size": size})

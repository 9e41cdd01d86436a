"""Token shards of a text dataset: implied wherever a dataset and a tokenizer are used together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tsws.manifest.outputs import tokens_folder
from tsws.manifest.specs import DatasetSpec
from tsws.reconcile.record import Record
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.resources.dataset import TRAIN, VALID, text_files

VALIDATION = "data00.bin"
"""The shard that llama2.c validates on."""
DEFAULT_VAL = 0.05
"""Part of the stories that is set aside for validation when the manifest says nothing."""


def tokens_address(dataset: str, tokenizer: str) -> str:
    """The address of the shards of a dataset in the tokens of a tokenizer."""
    return f"tokens.{dataset}.{tokenizer}"


def val_fraction(spec: DatasetSpec) -> float:
    """The part of a text dataset's stories that is for validation, when they have no file of their own."""
    if spec.val is None:
        return DEFAULT_VAL
    return float(spec.val.removesuffix("%")) / 100 if spec.val.endswith("%") else float(spec.val)


def tokens_resource(dataset: str, spec: DatasetSpec, tokenizer: str) -> Resource:
    """The shards of one dataset for one tokenizer."""
    folder = str(tokens_folder(dataset, spec, tokenizer))
    return Resource(
        address=tokens_address(dataset, tokenizer),
        rule=TokensRule(dataset, spec, tokenizer, folder),
        identity={"format": spec.format, "val": val_fraction(spec)},
        inputs=(f"dataset.{dataset}", f"tokenizer.{tokenizer}"),
        on_demand=True,
    )


@dataclass(frozen=True)
class TokensRule(BaseRule):
    """Encode every story, in llama2.c's layout; ``data00.bin`` is for validation."""

    dataset: str
    spec: DatasetSpec
    tokenizer: str
    folder: str

    version = 1

    def make(self, making: Making) -> Result:
        """Tokenize; shards that an earlier try finished are taken over."""
        from tsws.text.tokenize import tokenize

        record = making.inputs[f"dataset.{self.dataset}"]
        valid = text_files(record, making.root, VALID)
        shards = tokenize(
            text_files(record, making.root, TRAIN),
            valid or None,
            format="json" if self.spec.format == "json" else "text",
            val_fraction=val_fraction(self.spec),
            tokenizer=making.input_path(f"tokenizer.{self.tokenizer}", "tokenizer.model"),
            folder=making.folder,
            threads=os.cpu_count() or 1,
            progress=making.progress("tokenizing", "B"),
            stop=making.stop,
        )
        files = [Made(path.name, path, f"{self.folder}/{path.name}") for path in shards]
        return Result(files, {"tokens": sum(path.stat().st_size for path in shards) // 2})


def train_and_validation(record: Record, root: Path) -> tuple[list[Path], list[Path]]:
    """The shards for training and those for validation of tokens that were made here."""
    paths = {output.role: root / output.path for output in record.outputs}
    order = sorted(paths, key=lambda role: (len(role), role))  # data100.bin comes after data11.bin
    return [paths[role] for role in order if role != VALIDATION], [paths[VALIDATION]]

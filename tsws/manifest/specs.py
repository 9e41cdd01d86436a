"""The manifest as typed, frozen values: one struct a table, one comment a key.

A key is *identity* when it can change the bytes of a result, and *operational* when it can not, or only by
rounding; operational keys are marked with :data:`OPERATIONAL`, and only the others enter a fingerprint. Descriptions
feed the JSON schema and ``docs/manifest.md``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tsws.manifest.compiling import CompilerFlag, CompilerName
from tsws.manifest.field_types import NAME_PATTERN, OPERATIONAL, OPERATIONAL_FIELD, PositiveInt, Seed, Sha256, Spec
from tsws.manifest.run_spec import RunSpec

__all__ = [
    "NAME_PATTERN",
    "OPERATIONAL",
    "TABLES",
    "BackendSpec",
    "DatasetSpec",
    "ExportSpec",
    "Manifest",
    "ModelSpec",
    "ProgramSpec",
    "RunSpec",
    "Spec",
    "TokenizerSpec",
    "VolumeSpec",
    "WorkspaceSpec",
]


class WorkspaceSpec(Spec, frozen=True, kw_only=True):
    """``[workspace]``: the workspace as a whole."""

    name: Annotated[str, Meta(description="What the workspace is called in messages.")] = "workspace"
    default: Annotated[
        list[str] | None,
        Meta(description="Addresses that a bare `tsws apply` reconciles; without it, everything."),
    ] = None
    include: Annotated[
        list[str],
        Meta(description="More manifest files, relative to this one; what stands here wins over what they say."),
    ] = []


class DatasetSpec(Spec, frozen=True, kw_only=True):
    """``[dataset.NAME]``: stories, as text or as tokens."""

    source: Annotated[
        str | list[str],
        Meta(
            description="Where the stories are: `builtin:toy-stories`, a path or glob, relative to the workspace, or a URI"
            " (`https://`, `hf://`, `github://`, `file:`...). `.gz`, `.zip` and `.tar.*` are unpacked.",
            extra={"expected": "a path or URI in quotes, or a list of them"},
        ),
    ]
    format: Annotated[
        Literal["text", "json", "shards"],
        Meta(
            description="`text`: stories that end with a line `<|endoftext|>`; `json`: lists of objects with a `story`;"
            " `shards`: uint16 tokens as llama2.c has them."
        ),
    ] = "text"
    tokenizer: Annotated[str | None, Meta(description="The tokenizer that `shards` were made with.")] = None
    train: Annotated[
        str | None,
        Meta(description='Shards for training, such as "0-9" or "0,2,5-7"; default: all but those of `val`.'),
    ] = None
    val: Annotated[
        str | None,
        Meta(description='For validation: shards ("45"), or the part of the stories of a text ("5%", the default).'),
    ] = None
    val_source: Annotated[
        str | list[str] | None, Meta(description="Where the validation stories of a text are, when they lie apart.")
    ] = None
    stories: Annotated[PositiveInt | None, Meta(description="How many stories a builtin source writes.")] = None
    seed: Annotated[Seed, Meta(description="Seed of a builtin source.")] = 0
    path: Annotated[
        str | None,
        Meta(
            description="Folder for the files; default `data/NAME` (text, json) or `NAME` (shards).",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = None
    sha256: Sha256 | None = None


class TokenizerSpec(Spec, frozen=True, kw_only=True):
    """``[tokenizer.NAME]``: a sentencepiece model, given (`source`) or trained here (`train`)."""

    source: Annotated[str | None, Meta(description="A finished sentencepiece `.model`: a path or URI.")] = None
    train: Annotated[str | None, Meta(description="The dataset to train it on.")] = None
    vocab_size: Annotated[
        Annotated[int, Meta(ge=4, le=65536)] | None, Meta(description="Number of pieces (training).")
    ] = None
    character_coverage: Annotated[
        Annotated[float, Meta(gt=0.0, le=1.0)], Meta(description="Share of the characters to have pieces (training).")
    ] = 1.0
    byte_fallback: Annotated[bool, Meta(description="Unknown characters become bytes, not `<unk>` (training).")] = True
    split_digits: Annotated[bool, Meta(description="Every digit is a piece of its own (training).")] = True
    path: Annotated[
        str | None,
        Meta(
            description="Of the `.model`; default `NAME.model`. `.vocab` and `.bin` lie beside.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = None
    sha256: Sha256 | None = None


class ModelSpec(Spec, frozen=True, kw_only=True):
    """``[model.NAME]``: an architecture with its sizes, or somebody's finished model (`source`)."""

    arch: Annotated[str, Meta(description="Architecture: `llama`, `gpt`, or one that a plugin adds.")] = "llama"
    dim: Annotated[PositiveInt, Meta(description="Width of the residual stream.")] = 288
    n_layers: Annotated[PositiveInt, Meta(description="Number of transformer blocks.")] = 6
    n_heads: Annotated[PositiveInt, Meta(description="Number of query heads; divides `dim`.")] = 6
    n_kv_heads: Annotated[
        PositiveInt | None, Meta(description="Number of key/value heads; divides `n_heads`, its default.")
    ] = None
    hidden_dim: Annotated[
        PositiveInt | None,
        Meta(
            description="Width of the feed-forward layer; default 2/3 of 4 `dim`, rounded up to `multiple_of`; of a `gpt`"
            " 4 `dim`."
        ),
    ] = None
    multiple_of: Annotated[PositiveInt, Meta(description="What the default `hidden_dim` is rounded up to.")] = 32
    vocab_size: Annotated[PositiveInt | None, Meta(description="Size of the vocabulary; default: the tokenizer's.")] = (
        None
    )
    max_seq_len: Annotated[PositiveInt, Meta(description="Context length, in tokens.")] = 256
    norm_eps: Annotated[
        float, Meta(gt=0.0, description="Epsilon of the normalisation; llama2.c's format fixes 1e-5.")
    ] = 1e-5
    rope_theta: Annotated[
        float, Meta(gt=0.0, description="Base of the rotary positions; llama2.c's format fixes 10000.")
    ] = 10000.0
    dropout: Annotated[
        Annotated[float, Meta(ge=0.0, lt=1.0)] | None,
        Meta(description="Dropout rate in training; default 0, of a `gpt` 0.1."),
    ] = None
    tie_embeddings: Annotated[bool, Meta(description="The classifier shares the embedding's weights.")] = True
    options: Annotated[dict[str, Any], Meta(description="Keys that only this architecture has.")] = {}
    source: Annotated[
        str | None, Meta(description="A finished llama2.c `model.bin`: a path or URI. Sizes come from the file.")
    ] = None
    tokenizer: Annotated[str | None, Meta(description="The tokenizer of a finished model.")] = None
    path: Annotated[
        str | None,
        Meta(description="Of a finished model's file; default `NAME.bin`.", extra_json_schema=OPERATIONAL_FIELD),
    ] = None
    sha256: Sha256 | None = None


class ExportSpec(Spec, frozen=True, kw_only=True):
    """``[export.NAME]``: trained weights as a file of some format. Every run implies one, of its own name."""

    run: Annotated[
        str, Meta(description="The run whose weights are exported.", extra={"expected": "the name of a run"})
    ]
    format: Annotated[str, Meta(description="`llama2c`, `safetensors`, or a plugin's.")] = "llama2c"
    weights: Annotated[
        Literal["best", "last"], Meta(description="Those of the best validation loss, or of the last step.")
    ] = "best"
    path: Annotated[
        str | None,
        Meta(
            description="Of the file; default `model` with the format's suffix, in the run's `out`.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = None
    options: Annotated[dict[str, Any], Meta(description="Keys that only this format has.")] = {}


class ProgramSpec(Spec, frozen=True, kw_only=True):
    """``[program.NAME]``: the native program that plays models, compiled on this machine."""

    source: Annotated[
        str, Meta(description="`native`: the engine that comes with tsws; or a path or URI of a C file.")
    ] = "native"
    path: Annotated[
        str | None,
        Meta(
            description="Of the executable; default `NAME`. The source lies beside it with `.c`.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = None
    flags: Annotated[list[CompilerFlag], Meta(description="More flags for the compiler, after tsws's own.")] = []
    compiler: Annotated[
        CompilerName | None, Meta(description="The C compiler; default: `$CC`, else the first of `cc`, `gcc`, `clang`.")
    ] = None


class VolumeSpec(Spec, frozen=True, kw_only=True):
    """``[volume.NAME]``: a place for files elsewhere. Keys beside these belong to the kind."""

    kind: Annotated[
        str, Meta(description="`folder`, or a plugin's.", extra={"expected": "the kind of the volume in quotes"})
    ]
    sync: Annotated[
        list[str] | None,
        Meta(
            description="Files (or globs) to keep in step; default: the exports and tokenizers of the runs that work there."
        ),
    ] = None
    options: dict[str, Any] = {}
    """The kind's own keys, which stand in the same table."""


class BackendSpec(Spec, frozen=True, kw_only=True):
    """``[backend.NAME]``: settings of a backend. Keys beside these belong to the backend."""

    kind: Annotated[str | None, Meta(description="Which backend; default: the one called `NAME`.")] = None
    options: dict[str, Any] = {}
    """The backend's own keys, which stand in the same table."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole, checked manifest. References are bare names (``model = "tiny"``), resolved and known to exist."""

    workspace: WorkspaceSpec = WorkspaceSpec()
    dataset: dict[str, DatasetSpec] = {}
    tokenizer: dict[str, TokenizerSpec] = {}
    model: dict[str, ModelSpec] = {}
    run: dict[str, RunSpec] = {}
    export: dict[str, ExportSpec] = {}
    program: dict[str, ProgramSpec] = {}
    volume: dict[str, VolumeSpec] = {}
    backend: dict[str, BackendSpec] = {}
    plugin: dict[str, dict[str, Any]] = {}
    """Tables that plugins registered (``tsws_tables``): table name to entry name to an instance of its struct."""


TABLES: dict[str, type[Spec]] = {
    "dataset": DatasetSpec,
    "tokenizer": TokenizerSpec,
    "model": ModelSpec,
    "run": RunSpec,
    "export": ExportSpec,
    "program": ProgramSpec,
    "volume": VolumeSpec,
    "backend": BackendSpec,
}
"""Tables that hold named entries, and the struct of one entry."""

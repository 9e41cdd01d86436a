"""The manifest as typed, frozen values: one struct a table, one comment a key.

A key is *identity* when it can change the bytes of a result, and *operational* when it can not, or only by
rounding; operational keys are marked with :data:`OPERATIONAL`, and only the others enter a fingerprint. Descriptions
feed the JSON schema and ``docs/manifest.md``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

OPERATIONAL = "x-tsws-operational"
"""Key of ``Meta(extra_json_schema=...)`` that marks an operational field."""
_OPERATIONAL = {OPERATIONAL: True}

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a dataset, run... may be called: it becomes a file name."""

Sha256 = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}$",
        description="Expected SHA-256 of the fetched file, in hex.",
        extra={"expected": "64 hex digits in quotes, in lower case"},
    ),
]
PositiveInt = Annotated[int, Meta(ge=1)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Beta = Annotated[float, Meta(ge=0.0, lt=1.0)]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]


class _Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables share: unknown keys are mistakes."""


class WorkspaceSpec(_Spec, frozen=True, kw_only=True):
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


class DatasetSpec(_Spec, frozen=True, kw_only=True):
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
        Meta(description="Folder for the files; default `data/NAME` (text, json) or `NAME` (shards)."),
    ] = None
    sha256: Sha256 | None = None


class TokenizerSpec(_Spec, frozen=True, kw_only=True):
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
        str | None, Meta(description="Of the `.model`; default `NAME.model`. `.vocab` and `.bin` lie beside.")
    ] = None
    sha256: Sha256 | None = None


class ModelSpec(_Spec, frozen=True, kw_only=True):
    """``[model.NAME]``: an architecture with its sizes, or somebody's finished model (`source`)."""

    arch: Annotated[str, Meta(description="Architecture: `llama`, or one that a plugin adds.")] = "llama"
    dim: Annotated[PositiveInt, Meta(description="Width of the residual stream.")] = 288
    n_layers: Annotated[PositiveInt, Meta(description="Number of transformer blocks.")] = 6
    n_heads: Annotated[PositiveInt, Meta(description="Number of query heads; divides `dim`.")] = 6
    n_kv_heads: Annotated[
        PositiveInt | None, Meta(description="Number of key/value heads; divides `n_heads`, its default.")
    ] = None
    hidden_dim: Annotated[
        PositiveInt | None,
        Meta(description="Width of the feed-forward layer; default 2/3 of 4 `dim`, rounded up to `multiple_of`."),
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
    dropout: Annotated[float, Meta(ge=0.0, lt=1.0, description="Dropout rate in training.")] = 0.0
    tie_embeddings: Annotated[bool, Meta(description="The classifier shares the embedding's weights.")] = True
    options: Annotated[dict[str, Any], Meta(description="Keys that only this architecture has.")] = {}
    source: Annotated[
        str | None, Meta(description="A finished llama2.c `model.bin`: a path or URI. Sizes come from the file.")
    ] = None
    tokenizer: Annotated[str | None, Meta(description="The tokenizer of a finished model.")] = None
    path: Annotated[str | None, Meta(description="Of a finished model's file; default `NAME.bin`.")] = None
    sha256: Sha256 | None = None


class RunSpec(_Spec, frozen=True, kw_only=True):
    """``[run.NAME]``: one training run. A key without a value here takes its recipe's."""

    model: Annotated[str, Meta(description="The model to train.", extra={"expected": "the name of a model"})]
    dataset: Annotated[str, Meta(description="The stories to train on.", extra={"expected": "the name of a dataset"})]
    tokenizer: Annotated[str | None, Meta(description="The tokenizer; default: the dataset's own.")] = None
    out: Annotated[str | None, Meta(description="Folder of the results; default `out/NAME`.")] = None
    recipe: Annotated[
        Literal["fast", "llama2c"],
        Meta(description="Where defaults come from: `llama2c` (AdamW, cosine, as llama2.c trains) or `fast`."),
    ] = "fast"
    max_iters: Annotated[PositiveInt, Meta(description="Number of optimizer steps.")] = 1000
    batch_size: Annotated[PositiveInt, Meta(description="Rows of a micro-batch, each `max_seq_len` tokens.")] = 32
    gradient_accumulation_steps: Annotated[PositiveInt, Meta(description="Micro-batches a step.")] = 1
    learning_rate: Annotated[Annotated[float, Meta(gt=0.0)] | None, Meta(description="Peak learning rate.")] = None
    min_lr: Annotated[Annotated[float, Meta(ge=0.0)] | None, Meta(description="Learning rate at the end.")] = None
    warmup_iters: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Steps over which the learning rate rises.")
    ] = None
    schedule: Annotated[
        Literal["cosine", "wsd", "constant"] | None,
        Meta(description="`cosine`; `wsd` (warm-up, stable, decay: can be extended); `constant`."),
    ] = None
    decay_fraction: Annotated[Fraction | None, Meta(description="Part of the steps that `wsd` decays over.")] = None
    lr_decay_iters: Annotated[
        PositiveInt | None,
        Meta(description="Where `cosine` ends; default `max_iters`. Fixing it makes a run extendable."),
    ] = None
    weight_decay: Annotated[
        Annotated[float, Meta(ge=0.0)] | None, Meta(description="AdamW: weight decay, of the matrices only.")
    ] = None
    beta1: Annotated[Beta | None, Meta(description="AdamW: decay of the running mean of the gradients.")] = None
    beta2: Annotated[Beta | None, Meta(description="AdamW: decay of the running mean of their squares.")] = None
    grad_clip: Annotated[
        Annotated[float, Meta(ge=0.0)] | None, Meta(description="Largest norm of the gradient; 0: no limit.")
    ] = None
    dtype: Annotated[
        Literal["float32", "bfloat16"],
        Meta(description="Arithmetic of the forward and backward pass; weights stay float32."),
    ] = "float32"
    seed: Annotated[Seed, Meta(description="Of the initial weights and the order of the data.")] = 1337
    eval_interval: Annotated[
        PositiveInt | None, Meta(description="Steps between evaluations; default a tenth of `max_iters`, 2000 at most.")
    ] = None
    eval_tokens: Annotated[
        PositiveInt, Meta(description="Validation tokens an evaluation reads: always the same first part of the set.")
    ] = 131072

    # operational: none of these changes the bytes of the result, or only by rounding
    backend: Annotated[
        str, Meta(description="Where it trains: `local`, or a plugin's.", extra_json_schema=_OPERATIONAL)
    ] = "local"
    volume: Annotated[
        str | None,
        Meta(description="The volume to work in; default: the workspace itself.", extra_json_schema=_OPERATIONAL),
    ] = None
    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$",
            description="`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.",
            extra={"expected": 'one of "auto", "cpu", "cuda", "cuda:1" or "mps"'},
            extra_json_schema=_OPERATIONAL,
        ),
    ] = "auto"
    threads: Annotated[
        PositiveInt | None, Meta(description="CPU threads; default: all cores.", extra_json_schema=_OPERATIONAL)
    ] = None
    log_interval: Annotated[
        PositiveInt, Meta(description="Steps between log lines.", extra_json_schema=_OPERATIONAL)
    ] = 10
    checkpoint_interval: Annotated[
        str | PositiveInt,
        Meta(
            description='Between checkpoints: steps (100) or time ("5m").',
            extra={"expected": 'steps (100) or a duration ("5m")'},
            extra_json_schema=_OPERATIONAL,
        ),
    ] = "1m"
    sample_prompt: Annotated[
        str,
        Meta(
            description="What the sample story of each evaluation begins with; empty: no samples.",
            extra_json_schema=_OPERATIONAL,
        ),
    ] = "Once upon a time"


class ExportSpec(_Spec, frozen=True, kw_only=True):
    """``[export.NAME]``: trained weights as a file of some format. Every run implies one, of its own name."""

    run: Annotated[
        str, Meta(description="The run whose weights are exported.", extra={"expected": "the name of a run"})
    ]
    format: Annotated[str, Meta(description="`llama2c` (version 0), `safetensors`, or a plugin's.")] = "llama2c"
    weights: Annotated[
        Literal["best", "last"], Meta(description="Those of the best validation loss, or of the last step.")
    ] = "best"
    path: Annotated[
        str | None, Meta(description="Of the file; default `model` with the format's suffix, in the run's `out`.")
    ] = None
    options: Annotated[dict[str, Any], Meta(description="Keys that only this format has.")] = {}


class ProgramSpec(_Spec, frozen=True, kw_only=True):
    """``[program.NAME]``: the native program that plays models, compiled on this machine."""

    source: Annotated[
        str, Meta(description="`native`: the engine that comes with tsws; or a path or URI of a C file.")
    ] = "native"
    path: Annotated[
        str | None, Meta(description="Of the executable; default `NAME`. The source lies beside it with `.c`.")
    ] = None
    flags: Annotated[list[str], Meta(description="More flags for the compiler, after tsws's own.")] = []
    compiler: Annotated[
        str | None, Meta(description="The C compiler; default: `$CC`, else the first of `cc`, `gcc`, `clang`.")
    ] = None


class VolumeSpec(_Spec, frozen=True, kw_only=True):
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


class BackendSpec(_Spec, frozen=True, kw_only=True):
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


TABLES: dict[str, type[_Spec]] = {
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

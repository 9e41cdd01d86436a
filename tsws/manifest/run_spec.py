"""``[run.NAME]``: everything that a training run can be told."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tsws.manifest.field_types import OPERATIONAL_FIELD, Beta, Fraction, PositiveInt, Seed, Spec


class RunSpec(Spec, frozen=True, kw_only=True):
    """``[run.NAME]``: one training run. A key without a value here takes its recipe's."""

    model: Annotated[str, Meta(description="The model to train.", extra={"expected": "the name of a model"})]
    dataset: Annotated[str, Meta(description="The stories to train on.", extra={"expected": "the name of a dataset"})]
    tokenizer: Annotated[str | None, Meta(description="The tokenizer; default: the dataset's own.")] = None
    out: Annotated[
        str | None, Meta(description="Folder of the results; default `out/NAME`.", extra_json_schema=OPERATIONAL_FIELD)
    ] = None
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
    optimizer: Annotated[
        Literal["adamw", "muon"] | None,
        Meta(description="`adamw`; or `muon`: Muon for the matrices of the blocks, AdamW for the rest."),
    ] = None
    momentum: Annotated[Beta | None, Meta(description="Muon: decay of the running mean of the gradients.")] = None
    weight_decay: Annotated[
        Annotated[float, Meta(ge=0.0)] | None, Meta(description="Weight decay, of the matrices only.")
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
        PositiveInt | None,
        Meta(
            description="Steps between evaluations, which choose the best weights; default: as many as learn from 24 times"
            " `eval_tokens`, rounded up to tens, at least 100."
        ),
    ] = None
    eval_tokens: Annotated[
        PositiveInt, Meta(description="Validation tokens an evaluation reads: always the same first part of the set.")
    ] = 65536

    # operational: none of these changes the bytes of the result, or only by rounding
    backend: Annotated[
        str, Meta(description="Where it trains: `local`, or a plugin's.", extra_json_schema=OPERATIONAL_FIELD)
    ] = "local"
    volume: Annotated[
        str | None,
        Meta(description="The volume to work in; default: the workspace itself.", extra_json_schema=OPERATIONAL_FIELD),
    ] = None
    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$",
            description="`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.",
            extra={"expected": 'one of "auto", "cpu", "cuda", "cuda:1" or "mps"'},
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = "auto"
    engine: Annotated[
        Literal["auto", "native", "torch"],
        Meta(
            description="What computes the gradients: `native` (C, Llamas without dropout on the CPU), `torch`, or `auto`:"
            " native where it can.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = "auto"
    compile: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="Whether `torch.compile` compiles the model, where torch trains it; `auto`: where that was measured to"
            " make the run shorter.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = "auto"
    gradient_checkpointing: Annotated[
        bool,
        Meta(
            description="Compute activations again in the backward pass instead of keeping them, where torch trains: less memory,"
            " a third more arithmetic.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = False
    threads: Annotated[
        PositiveInt | None,
        Meta(
            description="CPU threads of each process; default: all cores, shared out.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = None
    processes: Annotated[
        PositiveInt,
        Meta(
            description="Processes that train together on each machine, with a GPU each where there are GPUs. They share out the"
            " rows of a step: the losses stay, but which numbers dropout hits does not.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = 1
    nodes: Annotated[
        PositiveInt,
        Meta(
            description="Machines that train together, as far as the backend can bring them.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = 1
    log_interval: Annotated[
        PositiveInt, Meta(description="Steps between log lines.", extra_json_schema=OPERATIONAL_FIELD)
    ] = 10
    checkpoint_interval: Annotated[
        str | PositiveInt,
        Meta(
            description='Between checkpoints: steps (100) or time ("5m").',
            extra={"expected": 'steps (100) or a duration ("5m")'},
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = "1m"
    sample_prompt: Annotated[
        str,
        Meta(
            description="What the sample story of each evaluation begins with; empty: no samples.",
            extra_json_schema=OPERATIONAL_FIELD,
        ),
    ] = "Once upon a time"

"""From a recipe and what the manifest gives to the full list of numbers that a run trains with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tsws.errors import TrainError

TRAINED_PER_EVALUATED = 24
"""Tokens that a run learns from for each that an evaluation reads, at least, unless it says otherwise. Reading costs about
a third of learning, so that evaluations take less than 2 % of a run."""
LEAST_EVAL_INTERVAL = 100
"""Steps between evaluations of a run that says nothing about them, however large its steps."""
LLAMA2C_WARMUP = 1000
"""Warm-up steps of llama2.c's ``train.py``, made for runs of 100,000."""


@dataclass(frozen=True)
class Hyperparameters:
    """Every number that can change the weights a run ends with. A *step* is one update of the weights."""

    max_iters: int
    """Number of steps."""
    batch_size: int
    """Rows of a micro-batch, each ``max_seq_len`` tokens."""
    gradient_accumulation_steps: int
    """Micro-batches a step."""
    learning_rate: float
    """At its peak."""
    min_lr: float
    """At the end of the decay."""
    warmup_iters: int
    """Steps over which the learning rate rises from 0."""
    schedule: str
    """``cosine``, ``wsd`` or ``constant``."""
    decay_fraction: float
    """Part of ``max_iters`` over which ``wsd`` decays; 0 for the others."""
    lr_decay_iters: int
    """The step at which ``cosine`` ends; 0 for the others."""
    optimizer: str
    """``adamw``, or ``muon``: that for the matrices of the blocks, AdamW for the rest."""
    momentum: float
    """Of Muon; 0 for AdamW alone."""
    weight_decay: float
    """Of the matrices; vectors have none."""
    beta1: float
    """Of AdamW."""
    beta2: float
    """Of AdamW."""
    grad_clip: float
    """Largest norm of the gradient; 0: no limit."""
    dtype: str
    """``float32`` or ``bfloat16``: arithmetic of the forward and backward pass."""
    seed: int
    """Of the initial weights, the order of the data, and dropout."""
    eval_interval: int
    """Steps between evaluations; the last step is evaluated always."""
    eval_tokens: int
    """Validation tokens that an evaluation reads."""


@dataclass(frozen=True)
class _Recipe:
    """What a recipe says about the numbers that a manifest may leave open."""

    learning_rate: float
    min_lr: float
    warmup_iters: int
    schedule: str
    optimizer: str
    momentum: float
    weight_decay: float
    beta1: float
    beta2: float
    grad_clip: float
    decay_fraction: float


def _llama2c(max_iters: int) -> _Recipe:
    """The numbers of llama2.c's ``train.py``. Its warm-up is meant for long runs; a short one takes a tenth."""
    return _Recipe(
        learning_rate=5e-4,
        min_lr=0.0,
        warmup_iters=LLAMA2C_WARMUP if max_iters > LLAMA2C_WARMUP else max_iters // 10,
        schedule="cosine",
        optimizer="adamw",
        momentum=0.0,
        weight_decay=0.1,
        beta1=0.9,
        beta2=0.95,
        grad_clip=1.0,
        decay_fraction=0.0,
    )


def _fast(max_iters: int, dim: int) -> _Recipe:
    """Muon at a high rate that falls with the width, a short warm-up, and a long linear decay to nothing."""
    return _Recipe(
        learning_rate=fast_learning_rate(dim),
        min_lr=0.0,
        warmup_iters=min(FAST_WARMUP, max_iters // 2),
        schedule="wsd",
        optimizer="muon",
        momentum=MUON_MOMENTUM,
        weight_decay=0.03,
        beta1=0.9,
        beta2=0.95,
        grad_clip=1.0,
        decay_fraction=0.4,
    )


FAST_WARMUP = 40
"""Steps."""
MUON_MOMENTUM = 0.9
"""Better than the usual 0.95 for runs of some thousand steps (``bench/LOG.md``)."""


def fast_learning_rate(dim: int) -> float:
    """Peak rate of the ``fast`` recipe: 5e-3 at a width of 128, falling with the square root of the width.

    Measured best: about 1e-2 at 64, 5e-3 at 128 and at 288 (``bench/LOG.md``).
    """
    return 5e-3 * math.sqrt(128 / dim)


def resolve(recipe: str, given: Mapping[str, Any], *, dim: int, max_seq_len: int) -> Hyperparameters:
    """All the numbers of a run.

    Args:
        recipe: ``llama2c`` or ``fast``: where the numbers come from that are not given.
        given: fields of :class:`Hyperparameters` by name; None is as good as absent, other keys are passed over.
            ``max_iters``, ``batch_size``, ``gradient_accumulation_steps``, ``dtype``, ``seed`` and ``eval_tokens``
            have to be there.
        dim: width of the model, which the learning rate of ``fast`` goes by.
        max_seq_len: tokens of a row, which the steps between evaluations go by.

    Raises:
        TrainError: an unknown recipe, a number that is missing, or numbers that do not fit together.
    """
    names = [field.name for field in fields(Hyperparameters)]
    known = {name: given[name] for name in names if given.get(name) is not None}
    max_iters = known.get("max_iters")
    if max_iters is None:
        raise TrainError("max_iters is missing", hint="say how many steps to train")
    if recipe not in ("fast", "llama2c"):
        raise TrainError(f"there is no recipe {recipe!r}", hint="choose `fast` or `llama2c`")
    defaults = _fast(max_iters, dim) if recipe == "fast" else _llama2c(max_iters)
    values = {field.name: getattr(defaults, field.name) for field in fields(_Recipe)}
    values |= {"lr_decay_iters": max_iters} | known
    if values["schedule"] != "cosine":
        values["lr_decay_iters"] = 0  # says nothing, so it must not differ between runs
    if values["schedule"] == "wsd" and not values["decay_fraction"] and "decay_fraction" not in known:
        values["decay_fraction"] = _fast(max_iters, dim).decay_fraction
    if values["optimizer"] != "muon":
        values["momentum"] = 0.0
    elif not values["momentum"] and "momentum" not in known:
        values["momentum"] = MUON_MOMENTUM
    missing = [name for name in names if name not in values and name != "eval_interval"]
    if missing:
        raise TrainError(
            f"training settings are missing: {', '.join(missing)}", hint="give each of them a value in the run"
        )
    if "eval_interval" not in values:
        rows = values["batch_size"] * values["gradient_accumulation_steps"]
        values["eval_interval"] = default_eval_interval(values["eval_tokens"], rows * max_seq_len)
    hyperparameters = Hyperparameters(**values)
    _check(hyperparameters)
    return hyperparameters


def default_eval_interval(eval_tokens: int, tokens_per_step: int) -> int:
    """Steps between evaluations, so that they cost little; a multiple of 10, at least 100.

    It does not hang on ``max_iters``: evaluations choose the best weights, and a run can only be extended when the
    longer one would have evaluated at the same steps.
    """
    steps = TRAINED_PER_EVALUATED * eval_tokens / max(1, tokens_per_step)
    return max(LEAST_EVAL_INTERVAL, 10 * math.ceil(steps / 10))


def _check(h: Hyperparameters) -> None:
    counts = (
        "max_iters",
        "batch_size",
        "gradient_accumulation_steps",
        "eval_interval",
        "eval_tokens",
    )
    for name in counts:
        if getattr(h, name) < 1:
            raise TrainError(
                f"{name} is {getattr(h, name)}; it has to be at least 1", hint=f"choose {name} as 1 or more"
            )
    if h.warmup_iters >= h.max_iters and h.warmup_iters > 0:
        raise TrainError(
            f"warmup_iters ({h.warmup_iters}) leaves nothing of the {h.max_iters} steps",
            hint="choose warmup_iters below max_iters",
        )
    if h.schedule == "cosine" and h.warmup_iters >= h.lr_decay_iters:
        raise TrainError(
            f"warmup_iters ({h.warmup_iters}) reaches lr_decay_iters ({h.lr_decay_iters})",
            hint="choose warmup_iters below lr_decay_iters",
        )
    if h.schedule not in ("cosine", "wsd", "constant"):
        raise TrainError(f"there is no schedule {h.schedule!r}", hint="choose `cosine`, `wsd` or `constant`")
    if h.optimizer not in ("adamw", "muon"):
        raise TrainError(f"there is no optimizer {h.optimizer!r}", hint="choose `adamw` or `muon`")
    if h.dtype not in ("float32", "bfloat16"):
        raise TrainError(f"dtype {h.dtype!r} is unknown", hint="choose `float32` or `bfloat16`")
    if h.min_lr > h.learning_rate:
        raise TrainError(
            f"min_lr ({h.min_lr:g}) is above learning_rate ({h.learning_rate:g})",
            hint="choose min_lr as learning_rate or less",
        )

"""A run's beginning, the same in every process that trains it: data, fresh model, optimizer, gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from tsws.errors import TrainError
from tsws.train.ahead import Ahead
from tsws.train.choosing import choose_gradients, choose_polar
from tsws.train.data import Batches, Rows
from tsws.train.device import Device, find_device, prepare_device
from tsws.train.gradients import Gradients, TorchGradients
from tsws.train.optimizer import build_optimizers
from tsws.train.rank import Rank, of_one_rank
from tsws.train.recipe import Hyperparameters
from tsws.train.recompute import recompute_blocks
from tsws.train.session import Session
from tsws.train.settings import TrainData, TrainSettings


@dataclass(frozen=True)
class Prepared:
    """What the steps of one process work with."""

    session: Session
    gradients: Gradients
    """Of this process alone."""
    batches: Batches
    """Its part of the rows."""
    numbers: Hyperparameters
    """The run's, with the micro-batches of this process."""
    val_rows: Rows
    device: Device


def prepare(
    settings: TrainSettings, data: TrainData, build: Callable[[], nn.Module], rank: Rank, say: Callable[[str], None]
) -> Prepared:
    """Begin a run, before its first step.

    Args:
        settings: of the whole run.
        data: the tokens.
        build: makes the model with fresh weights from torch's global generator.
        rank: of this process.
        say: hears lines for people.

    Raises:
        TrainError: no such device, or the rows of a step can not be shared evenly.
        FormatError: the data do not fit the model.
        OSError: a file can not be read.
    """
    h = settings.hyperparameters
    numbers = of_one_rank(h, rank.size)
    device = prepare_device(_device_of(settings.device, rank), h.dtype, settings.threads)
    if settings.threads is None and rank.local_size > 1 and device.target.type == "cpu":
        torch.set_num_threads(max(1, torch.get_num_threads() // rank.local_size))
    shape = {"max_seq_len": settings.max_seq_len, "vocab_size": settings.vocab_size}
    rows, val_rows = Rows(data.train, **shape), Rows(data.val, **shape)
    torch.manual_seed(h.seed)
    model = build().to(device.target)
    model.train()
    gradients = choose_gradients(model, device, settings.engine, say)
    batches = Batches(
        rows,
        seed=h.seed,
        batch_size=numbers.batch_size,
        micro_steps=numbers.gradient_accumulation_steps,
        rank=rank.number,
        world_size=rank.size,
    )
    if settings.gradient_checkpointing and isinstance(gradients, TorchGradients):
        recompute_blocks(model)
    if settings.compile == "always" and isinstance(gradients, TorchGradients):
        gradients.compile(*batches.batch(0))
    if device.target.type == "cuda":
        batches = Ahead(batches)
    return Prepared(
        Session(settings, model, build_optimizers(model, h, choose_polar(gradients)), len(rows)),
        gradients,
        batches,
        numbers,
        val_rows,
        device,
    )


def _device_of(name: str, rank: Rank) -> str:
    """The name of a process's own device: of several on one machine each takes a GPU.

    Raises:
        TrainError: there are not enough.
    """
    if rank.local_size == 1 or (device := find_device(name)).type != "cuda":
        return name
    if device.index is not None:
        raise TrainError(
            f"device {name!r} is one GPU, and {rank.local_size} processes want one each", hint='say `device = "cuda"`'
        )
    if rank.local_size > (found := torch.cuda.device_count()):
        raise TrainError(
            f"{rank.local_size} processes want a GPU each, and there are {found}", hint=f"say `processes = {found}`"
        )
    return f"cuda:{rank.local}"

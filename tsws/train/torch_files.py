"""``checkpoint.pt`` and ``model_best.pt``: what many small trainers write, for other tools to read, and read from them.

========================  ===========================================================================================
``checkpoint.pt``         a dict: ``model`` (state dict), ``optimizer`` (what it remembers, ``parameter/what`` to tensor), ``step``,
                          ``val_loss``, ``best_val_loss``, ``config`` (the model's fields)
``model_best.pt``         the state dict of the best evaluation, alone
========================  ===========================================================================================

They are copies. A run goes on from its own checkpoints; only where it has none does a file of somebody else's give it
its beginning, ``checkpoint.pt`` before ``model_best.pt``. Files are read with ``weights_only=True``: no code in them runs.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tsws.errors import FormatError
from tsws.io.atomic import TEMPORARY_SUFFIX, publish
from tsws.train.checkpoint import Snapshot
from tsws.train.optimizer import restore_optimizers
from tsws.train.session import Session

CHECKPOINT_FILE = "checkpoint.pt"
BEST_FILE = "model_best.pt"
_STEPS = ("step", "iter_num", "iter", "iteration")
"""What trainers call the number of steps taken."""
_MODELS = ("model", "model_state_dict", "state_dict")
"""And the weights."""


def write_torch_files(folder: Path, snapshot: Snapshot, config: Mapping[str, Any]) -> None:
    """Write both files. What a checkpoint gave back is in another order than what was never there: theirs is always the same.

    Raises:
        OSError: a file can not be written.
    """
    state = snapshot.state
    content = {
        "model": dict(snapshot.model),
        "optimizer": dict(sorted(snapshot.optimizer.items())),
        "step": state.step,
        "val_loss": state.val_loss,
        "best_val_loss": state.best_loss,
        "config": dict(config),
    }
    _write(folder / CHECKPOINT_FILE, content)
    best = snapshot.model if snapshot.best is None else snapshot.best
    _write(folder / BEST_FILE, {name: best[name] for name in snapshot.model})


def adopt(session: Session, path: Path) -> None:
    """Begin a run with the weights of a file, and where it has them with its optimizer and its number of steps.

    Raises:
        FormatError: not such a file, of another model, or of a run that has gone as far as this one will.
        OSError: it can not be read.
    """
    content = _read(path)
    weights = next((content[name] for name in _MODELS if isinstance(content.get(name), dict)), content)
    expected = {name: tensor.shape for name, tensor in session.model.state_dict().items()}
    if {name: getattr(tensor, "shape", None) for name, tensor in weights.items()} != expected:
        raise FormatError(f"{path.name}: it is of another model")
    step = next((content[name] for name in _STEPS if isinstance(content.get(name), int)), 0)
    wanted = session.settings.hyperparameters.max_iters
    if not 0 <= step < wanted:
        raise FormatError(f"{path.name}: it is of step {step}, and the run has {wanted}")
    optimizer = content.get("optimizer")
    if step and isinstance(optimizer, dict) and all(isinstance(value, Tensor) for value in optimizer.values()):
        restore_optimizers(session.model, session.optimizers, optimizer)
    session.model.load_state_dict(weights)
    session.step = step


def _write(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    try:
        torch.save(content, temporary)
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:  # torch's ways to say no
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"{path.name}: it can not be read as weights alone: {reason}") from error
    if not isinstance(content, dict):
        raise FormatError(f"{path.name}: it holds no state dict")
    return content

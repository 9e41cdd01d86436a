"""What a run is told, and what it tells at its end; plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsws.train.recipe import Hyperparameters


@dataclass(frozen=True)
class TrainData:
    """Token shards: files of little-endian uint16."""

    train: tuple[Path, ...]
    val: tuple[Path, ...]


@dataclass(frozen=True)
class TrainSettings:
    """A run. Apart from ``hyperparameters`` and ``config`` nothing here changes its result, or only by rounding."""

    hyperparameters: Hyperparameters
    config: Mapping[str, Any]
    """The model's fields, ``vocab_size`` and ``max_seq_len`` among them; they go into the weights' metadata."""
    address: str = "run"
    """What events are about, such as ``run.baby``."""
    device: str = "auto"
    engine: str = "auto"
    """``native``, ``torch``, or ``auto``: native where it can."""
    compile: str = "auto"
    """Whether torch compiles the model where torch trains it: ``always``, ``never``, or ``auto``: where that was measured to pay."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass instead of keeping them, where torch trains."""
    threads: int | None = None
    """CPU threads of each process; None: torch's choice, shared out among the processes of a machine."""
    processes: int = 1
    """That train together on each machine: on GPUs one each."""
    nodes: int = 1
    """Machines; the backend starts a worker on each."""
    torch_files: bool = False
    """Write ``checkpoint.pt`` and ``model_best.pt``, too."""
    log_interval: int = 10
    """Steps between metric lines."""
    checkpoint_interval: int | float = 60.0
    """Between checkpoints: an int is steps, a float seconds."""
    sample_prompt: str = ""
    """What the caller's samples begin with; only named in events."""

    @property
    def vocab_size(self) -> int:
        """Tokens the model knows."""
        return int(self.config["vocab_size"])

    @property
    def max_seq_len(self) -> int:
        """Tokens of a row."""
        return int(self.config["max_seq_len"])

    @property
    def tokens_per_step(self) -> int:
        """Tokens that one step learns from."""
        h = self.hyperparameters
        return h.batch_size * h.gradient_accumulation_steps * self.max_seq_len


@dataclass(frozen=True)
class TrainResult:
    """How a finished run ended."""

    step: int
    """Steps taken, all attempts together."""
    train_loss: float
    """Of the last step's batch, in nats a token."""
    val_loss: float
    """Of the last step's weights."""
    best_val_loss: float
    """Of the weights in ``best.safetensors``."""
    best_step: int
    """The step that they are of."""
    seconds: float
    """Of training, all attempts together."""
    tokens: int
    """Learned from."""
    files: tuple[str, ...] = field(default=("last.safetensors", "best.safetensors", "metrics.jsonl", "samples.jsonl"))
    """What the run's folder now holds, apart from checkpoints."""

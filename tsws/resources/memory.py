"""How much memory training takes on a machine: measured where the run was trained before, else reckoned from its sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsws.io.sizes import format_bytes
from tsws.model.config import LlamaConfig
from tsws.reconcile.record import Record
from tsws.train.rank import of_one_rank
from tsws.train.recipe import Hyperparameters

PROCESS = 330_000_000
"""Bytes of a process that has loaded torch and its optimizers and computed nothing."""
_A_WEIGHT = 20
"""Bytes of each: itself, its gradient, two moments of the optimizer, and its copy of the best evaluation."""
MEMORY = "memory"
"""Of a run's notes: bytes that one of its processes took at its peak, and the rows of its micro-batch."""


@dataclass(frozen=True)
class Machines:
    """What trains a run together."""

    processes: int
    """On each machine."""
    nodes: int

    def rows(self, wanted: Hyperparameters) -> int:
        """Of the micro-batch of one process."""
        return of_one_rank(wanted, self.processes * self.nodes).batch_size


def training_memory(config: LlamaConfig, rows: int) -> int:
    """Bytes that a process takes at most to train a model of some sizes with torch, in float32.

    What a backward pass needs of a forward one, for each token: in each layer 12 numbers a channel, 4 a channel of the keys, 5 a
    channel of the feed-forward layer, and 4 a piece of the vocabulary. Measured peaks of four shapes were 93 to 99 % of this; the
    training step in C takes far less.

    Args:
        config: the sizes.
        rows: of a micro-batch.
    """
    keys = config.dim // config.n_heads * config.n_kv_heads
    layer = 12 * config.dim + 4 * keys + 5 * config.hidden_dim
    a_token = config.n_layers * layer + 4 * config.vocab_size
    return PROCESS + _A_WEIGHT * config.parameter_count + 4 * rows * config.max_seq_len * a_token


def memory_notes(peak: int, wanted: Hyperparameters, machines: Machines) -> dict[str, int]:
    """What a run keeps of what it took.

    Args:
        peak: bytes of one process.
        wanted: its numbers.
        machines: that trained it.
    """
    return {"peak": peak, "rows": machines.rows(wanted)}


def memory_words(
    sizes: LlamaConfig, wanted: Hyperparameters, machines: Machines, identity: Mapping[str, Any], record: Record | None
) -> str:
    """``360 MB of memory``, or ``at most 1.2 GB of memory`` where that was never measured: what a machine needs to have.

    Args:
        sizes: of the model.
        wanted: the run's numbers.
        machines: that are to train it.
        identity: of the run.
        record: of the run as it was made last.
    """
    rows = machines.rows(wanted)
    known = record.notes.get(MEMORY, {}) if record is not None and _is_alike(record.identity, identity) else {}
    measured = int(known["peak"]) if known.get("rows") == rows else None
    size = training_memory(sizes, rows) if measured is None else measured
    return f"{'at most ' if measured is None else ''}{format_bytes(size * machines.processes)} of memory"


def _is_alike(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether the steps of two runs are of one size: the same model, the same arithmetic."""
    same_arithmetic = before.get("train", {}).get("dtype") == now["train"]["dtype"]
    return bool(same_arithmetic and before.get("model") == now["model"])

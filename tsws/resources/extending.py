"""Which checkpoint of an earlier version of a run is also one of the wanted run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsws.reconcile.facts import Version
from tsws.reconcile.resource import Resource
from tsws.train.recipe import Hyperparameters
from tsws.train.schedule import agree_until

CHECKPOINTS = "checkpoints"
"""The folder's name in a version's folder."""


def checkpoint_folder(version: Path, step: int) -> Path | None:
    """The folder of the checkpoint of a step; None when there is none."""
    return next(
        (path for path in (version / CHECKPOINTS).iterdir() if path.name.isdigit() and int(path.name) == step), None
    )


def common_step(version: Version, resource: Resource, wanted: Hyperparameters) -> int:
    """The latest checkpoint of a version that is also one of the wanted run; 0 when there is none."""
    limit = agreement(version.identity, resource, wanted)
    return max((step for step in version.progress.get("checkpoints", ()) if step <= limit), default=0)


def agreement(identity: Mapping[str, Any], resource: Resource, wanted: Hyperparameters) -> int:
    """How many steps a run with some identity shares with the wanted one."""
    others = {key for key in resource.identity if key != "train"}
    if any(identity.get(key) != resource.identity[key] for key in others):
        return 0
    try:
        return agree_until(Hyperparameters(**identity["train"]), wanted)
    except TypeError:  # numbers of another version of tsws
        return 0

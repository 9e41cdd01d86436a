"""Checkpoints: ``checkpoints/<step>/``, complete when its manifest stands.

``model.safetensors`` and ``optimizer.safetensors`` hold tensors, ``best.safetensors`` the weights of the best evaluation so far
(when there was one), ``state.json`` the rest. ``manifest.json`` names size and SHA-256 of each and is written last, so a kill leaves
either a whole checkpoint or one that is seen to be none. No generator's state is kept: data order and dropout are functions
of the seed and the step (``data.py``, ``step.py``). Nothing is ever pickled.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from torch import Tensor

from tsws.errors import FormatError, TswsError
from tsws.io.atomic import sync_folder, write_bytes
from tsws.io.digest import sha256_file
from tsws.model.weights import load_tensors, save_tensors
from tsws.train.recipe import Hyperparameters

CHECKPOINTS = "checkpoints"
"""The folder's name in a run's folder."""
KEPT = 2
"""How many of the newest checkpoints stay, pinned ones apart."""

_MODEL, _OPTIMIZER, _BEST = "model.safetensors", "optimizer.safetensors", "best.safetensors"
_STATE, _MANIFEST = "state.json", "manifest.json"


class State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``state.json``: where a run is, apart from its tensors."""

    step: int
    """Steps taken."""
    tokens: int
    """Learned from so far."""
    seconds: float
    """Of training so far, all attempts together."""
    train_loss: float | None
    """Of the last step; None where it was not this run's."""
    val_loss: float | None
    """Of the last evaluation."""
    best_loss: float | None
    """Of the best evaluation; None before the first."""
    best_step: int
    rows: int
    """Of the training data, to notice other data."""
    hyperparameters: Hyperparameters


class _File(msgspec.Struct, frozen=True):
    size: int
    sha256: str


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    files: dict[str, _File]


@dataclass(frozen=True)
class Snapshot:
    """A checkpoint in memory."""

    state: State
    model: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    best: Mapping[str, Tensor] | None


def save_checkpoint(folder: Path, snapshot: Snapshot) -> Path:
    """Write a checkpoint into a run's ``checkpoints`` folder and return its own.

    Raises:
        OSError: the disk is full, the folder can not be written...
    """
    target = folder / str(snapshot.state.step)
    if target.exists():  # torn by a kill, or damaged: what is whole is never written again
        _remove(target)
    tensors = {_MODEL: snapshot.model, _OPTIMIZER: snapshot.optimizer, _BEST: snapshot.best}
    names = []
    for name, content in tensors.items():
        if content is not None:
            save_tensors(target / name, content)
            names.append(name)
    write_bytes(target / _STATE, msgspec.json.format(msgspec.json.encode(snapshot.state), indent=1))
    names.append(_STATE)
    files = {name: _File((target / name).stat().st_size, sha256_file(target / name)) for name in names}
    sync_folder(folder)
    write_bytes(
        target / _MANIFEST, msgspec.json.format(msgspec.json.encode(_Manifest(format=1, files=files)), indent=1)
    )
    return target


def verify_checkpoint(path: Path) -> None:
    """Check a checkpoint's files against its manifest.

    Raises:
        FormatError: it is torn or damaged; the message says how.
    """
    try:
        manifest = msgspec.json.decode((path / _MANIFEST).read_bytes(), type=_Manifest)
    except FileNotFoundError:
        raise FormatError(f"{path.name}: it was never finished") from None
    except (OSError, msgspec.DecodeError) as error:
        raise FormatError(f"{path.name}: its manifest can not be read ({error})") from error
    if manifest.format != 1 or not {_MODEL, _OPTIMIZER, _STATE} <= set(manifest.files):
        raise FormatError(f"{path.name}: it is of another version of tsws")
    for name, file in manifest.files.items():
        try:
            size = (path / name).stat().st_size
            digest = sha256_file(path / name) if size == file.size else None
        except OSError as error:
            raise FormatError(f"{path.name}: {name} can not be read ({error})") from error
        if digest is None:
            raise FormatError(f"{path.name}: {name} has {size} bytes, expected {file.size}")
        if digest != file.sha256:
            raise FormatError(f"{path.name}: the bytes of {name} are not those that were written")
    _read_state(path)


def load_checkpoint(path: Path) -> Snapshot:
    """A checkpoint, verified.

    Raises:
        FormatError: it is torn or damaged.
    """
    verify_checkpoint(path)
    state = _read_state(path)
    best = load_tensors(path / _BEST) if state.best_loss is not None else None
    return Snapshot(state, load_tensors(path / _MODEL), load_tensors(path / _OPTIMIZER), best)


def _read_state(path: Path) -> State:
    try:
        return msgspec.json.decode((path / _STATE).read_bytes(), type=State)
    except msgspec.DecodeError as error:
        raise FormatError(f"{path.name}: {_STATE} is of another version of tsws ({error})") from error


def latest_checkpoint(folder: Path, warn: Callable[[str], None]) -> Path | None:
    """The newest whole checkpoint of a ``checkpoints`` folder; torn or damaged ones are passed over with a warning."""
    for path in reversed(_list(folder)):
        try:
            verify_checkpoint(path)
        except TswsError as error:
            warn(f"checkpoint {error.message}; going back to the one before")
        else:
            return path
    return None


def prune_checkpoints(folder: Path, pinned: Collection[int]) -> None:
    """Remove all but the newest finished checkpoints and those of the pinned steps."""
    finished = [path for path in _list(folder) if (path / _MANIFEST).exists()]
    kept = {*finished[-KEPT:], *(path for path in finished if int(path.name) in pinned)}
    for path in _list(folder):
        if path not in kept:
            _remove(path)


def _list(folder: Path) -> list[Path]:
    """Checkpoint folders by step, oldest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))


def _remove(path: Path) -> None:
    """Remove a checkpoint, its manifest first: half of one must not look like a whole one."""
    (path / _MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(path)

"""Writing weights in another format, once and wherever they are wanted; what is wanted always is an ``[export.*]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import msgspec

from tsws.errors import TswsError, UsageError
from tsws.io.atomic import TEMPORARY_SUFFIX, publish
from tsws.plugin import Exporter, Plugins
from tsws.workspace.context import Context

Weights = Literal["best", "last"]
_TENSORS = ".safetensors"


@dataclass(frozen=True)
class Wanted:
    """The file that an export is to write."""

    destination: Path
    format: str | None = None
    """``llama2c``, ``safetensors`` or a plugin's; None: the one whose suffix the destination has."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keys that only this format has."""
    replace: bool = False
    """A file of this name may be there."""


def weights_of_run(context: Context, run: str, weights: Weights) -> Path:
    """The weights that a run's last success left, a safetensors file.

    Raises:
        PlanError: there is no such run.
        TswsError: it has not come to an end yet, or not here.
    """
    address = f"run.{run.removeprefix('run.')}"
    context.expansion.graph[address]
    record = context.store.record(address)
    for output in record.outputs if record else ():
        if output.role == weights and (context.root / output.path).is_file():
            return context.root / output.path
    raise TswsError(
        f"{address} has no weights in this workspace", hint=f"`tsws apply {address}` trains it; or name a model file"
    )


def export_file(source: Path, wanted: Wanted, plugins: Plugins) -> None:
    """Write the weights of a file in a format.

    Args:
        source: a safetensors file that tsws has written, or a llama2.c model file of any version.
        wanted: what to write.
        plugins: who provides formats.

    Raises:
        UsageError: no such format, options that it does not have, or the file to write is there already.
        FormatError: the source is no such file, or what it holds does not fit the format.
        TswsError: the disk refuses.
    """
    exporter = _exporter(wanted, plugins)
    options = _options(exporter, wanted.options)
    destination = wanted.destination
    if destination.exists() and not (wanted.replace and destination.is_file()):
        hint = "choose another name" if destination.is_dir() else "choose another name, or replace it with --force"
        raise UsageError(f"{destination} exists already", hint=hint)
    temporary = destination.with_name(f".{destination.name}{TEMPORARY_SUFFIX}")
    try:
        with _as_tensors(source) as (weights, config):
            destination.parent.mkdir(parents=True, exist_ok=True)
            exporter().export(weights, config, temporary, options)
            publish(temporary, destination)
    except OSError as error:
        raise TswsError(
            f"{error.filename or destination}: the disk refused: {error.strerror or error}",
            hint="make room or mend the permissions there",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _as_tensors(source: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What exporters take: a safetensors file and its config."""
    from tsws.model.weights import read_config, save_weights

    if source.suffix == _TENSORS:
        yield source, read_config(source)
        return
    from tsws.model.llama2c import read_model

    config, state = read_model(source)
    fields = {"arch": "llama", **config.to_fields()}
    with TemporaryDirectory(prefix="tsws-") as folder:
        weights = Path(folder) / f"weights{_TENSORS}"
        save_weights(weights, state, fields)
        yield weights, fields


def _exporter(wanted: Wanted, plugins: Plugins) -> type[Exporter]:
    known = plugins.exporters
    if wanted.format is None:
        for exporter in known.values():
            if exporter.suffix == wanted.destination.suffix:
                return exporter
        suffixes = ", ".join(sorted(f"{exporter.suffix} ({name})" for name, exporter in known.items()))
        raise UsageError(
            f"no format is known for a file named {wanted.destination.name}",
            hint=f"end its name with one of {suffixes}; or name the format: --format",
        )
    if wanted.format not in known:
        raise UsageError(
            f"no plugin provides the export format {wanted.format!r}", hint=f"known formats: {', '.join(sorted(known))}"
        )
    return known[wanted.format]


def _options(exporter: type[Exporter], given: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(dict(given), exporter.Options)
    except msgspec.ValidationError as error:
        keys = ", ".join(key.name for key in msgspec.structs.fields(exporter.Options)) or "none"
        raise UsageError(
            f"the format {exporter.format} does not take that: {error}", hint=f"its options: {keys}"
        ) from error

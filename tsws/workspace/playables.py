"""What can be played: which model is meant, with which tokenizer, and by which program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsws.errors import FormatError, PlanError, TswsError, UsageError
from tsws.manifest.outputs import all_exports, all_programs, export_path, model_path, program_paths, tokenizer_paths
from tsws.resources.program import NATIVE
from tsws.resources.run import tokenizer_of
from tsws.workspace.context import Context

SAFETENSORS = ".safetensors"
"""Suffix of weights that only torch plays; llama2.c's models have any other."""
_PLAYED = ("llama2c", "safetensors")
"""Formats of exports, the preferred one first."""


@dataclass(frozen=True)
class Playable:
    """A model with its tokenizer, on disk."""

    label: str
    """Address of what it is of, or its path."""
    model: Path
    tokenizer: Path

    @property
    def needs_torch(self) -> bool:
        """Whether the native program can not play it: it is no llama2.c file."""
        return self.model.suffix == SAFETENSORS


@dataclass(frozen=True)
class Player:
    """A program that plays models, on disk."""

    address: str
    path: Path
    source: str
    """``native``, or somebody's C file, which knows llama2.c's options and no others."""

    @property
    def is_ours(self) -> bool:
        """Whether it knows all options."""
        return self.source == NATIVE


def find_playable(
    context: Context, *, run: str | None = None, model: str | Path | None = None, tokenizer: str | Path | None = None
) -> Playable:
    """The model that some options mean; without any, the default run's.

    Raises:
        TswsError: it does not exist (yet).
    """
    if run is not None and model is not None:
        raise UsageError("--run and --model exclude each other", hint="name one of them")
    if model is None:
        found = _of_run(context, run.removeprefix("run.") if run else default_run(context))
    elif str(model).removeprefix("model.") in context.manifest.model:
        found = _of_model(context, str(model).removeprefix("model."))
    else:
        found = _of_file(context, Path(model), Path(tokenizer) if tokenizer else None)
    for path in (found.model, found.tokenizer):
        if not path.is_file():
            raise TswsError(f"{found.label} can not be played: {path} does not exist", hint=_how_to_get(found))
    return found


def find_program(context: Context) -> Player:
    """The program that plays models.

    Raises:
        TswsError: it is not built yet.
    """
    programs = all_programs(context.manifest)
    if not programs:
        raise TswsError("the manifest has nothing to play", hint="declare a run or a model with a source")
    name, spec = next(iter(programs.items()))
    path = context.root / program_paths(name, spec).executable
    if not path.is_file():
        raise TswsError(
            f"the native program {path.name} is not built yet",
            hint=f"`tsws apply program.{name}` builds it; `--engine torch` does without",
        )
    return Player(f"program.{name}", path, spec.source)


def default_run(context: Context) -> str:
    """The name of the run that is meant when none is named.

    Raises:
        UsageError: there is none.
    """
    names = [one.removeprefix("run.") for one in context.manifest.workspace.default or () if one.startswith("run.")]
    names += context.manifest.run
    if not names:
        raise UsageError("the manifest has no run", hint="`--model NAME` or `--model FILE` plays a finished model")
    return names[0]


def _of_run(context: Context, name: str) -> Playable:
    manifest = context.manifest
    context.expansion.graph[f"run.{name}"]
    own = {one.format: (key, one) for key, one in reversed(all_exports(manifest).items()) if one.run == name}
    for wanted in _PLAYED:
        exporter = context.plugins.exporters.get(wanted)
        if wanted in own and exporter is not None:
            tokenizer = tokenizer_of(manifest.run[name], manifest)
            return Playable(
                f"run.{name}",
                context.root / export_path(*own[wanted], manifest, exporter.suffix),
                context.root / tokenizer_paths(tokenizer, manifest.tokenizer[tokenizer]).bin,
            )
    formats = " or ".join(_PLAYED)
    raise PlanError(f"run.{name} has no export in the format {formats}", hint="declare one, or play it elsewhere")


def _of_model(context: Context, name: str) -> Playable:
    spec = context.manifest.model[name]
    if spec.source is None or spec.tokenizer is None:
        raise UsageError(
            f"model.{name} is an architecture, not a finished model", hint="`--run NAME` plays what a run has trained"
        )
    tokenizer = context.manifest.tokenizer[spec.tokenizer]
    return Playable(
        f"model.{name}",
        context.root / model_path(name, spec),
        context.root / tokenizer_paths(spec.tokenizer, tokenizer).bin,
    )


def _of_file(context: Context, model: Path, tokenizer: Path | None) -> Playable:
    if not model.is_file():
        known = sorted(name for name, spec in context.manifest.model.items() if spec.source)
        finished = f"finished models of the manifest: {', '.join(known)}"
        others = "name the path of a model.bin; `--run NAME` plays what a run has trained"
        raise UsageError(f"there is no model file {model}", hint=finished if known else others)
    return Playable(str(model), model, tokenizer or _guess_tokenizer(context, model))


def _guess_tokenizer(context: Context, model: Path) -> Path:
    """The one tokenizer that fits the model's vocabulary: beside it, or of the workspace."""
    from tsws.text.llama2c_tokenizer import Llama2cTokenizer

    vocab_size = _vocab_size(model)
    own = [context.root / tokenizer_paths(name, spec).bin for name, spec in context.manifest.tokenizer.items()]
    beside = [path for path in sorted(model.parent.glob("tok*.bin")) if path != model]
    for path in dict.fromkeys([*beside, *own]):
        try:
            Llama2cTokenizer.load(path, vocab_size)
        except (FormatError, OSError):
            continue
        return path
    raise UsageError(
        f"no tokenizer with {vocab_size} pieces lies beside {model} or in the workspace",
        hint="name one: --tokenizer FILE.bin",
    )


def _vocab_size(model: Path) -> int:
    from tsws.model.llama2c import read_header
    from tsws.model.weights import read_config

    return int(read_config(model)["vocab_size"]) if model.suffix == SAFETENSORS else read_header(model).vocab_size


def _how_to_get(playable: Playable) -> str:
    if "." in playable.label and "/" not in playable.label:
        return f"`tsws apply {playable.label}` makes it"
    return "name another file"

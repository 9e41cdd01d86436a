"""Where the files of each entry lie, relative to the workspace: the one place that knows the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from tsws.manifest.specs import DatasetSpec, ExportSpec, Manifest, ModelSpec, ProgramSpec, RunSpec, TokenizerSpec

DEFAULT_PROGRAM = "run"
"""Name of the program that plays models; where no table declares one, it is implied."""


RUN_FILES = ("checkpoint.pt", "metrics.jsonl", "model_best.pt", "report.html", "samples.jsonl")
"""What a run keeps in its folder beside its exports."""


@dataclass(frozen=True)
class TokenizerPaths:
    """The three files of a tokenizer."""

    model: PurePosixPath
    vocab: PurePosixPath
    bin: PurePosixPath


@dataclass(frozen=True)
class ProgramPaths:
    """The two files of a program."""

    executable: PurePosixPath
    source: PurePosixPath


def dataset_folder(name: str, spec: DatasetSpec) -> PurePosixPath:
    """The folder of a dataset's files: ``data/NAME``, or ``NAME`` for shards."""
    default = name if spec.format == "shards" else f"data/{name}"
    return PurePosixPath(default if spec.path is None else spec.path)


def tokens_folder(name: str, spec: DatasetSpec, tokenizer: str) -> PurePosixPath:
    """The folder of the shards that a dataset and a tokenizer give: beside the text, or the dataset's own."""
    folder = dataset_folder(name, spec)
    return folder if spec.format == "shards" else folder / tokenizer


def tokenizer_paths(name: str, spec: TokenizerSpec) -> TokenizerPaths:
    """``NAME.model`` with ``NAME.vocab`` and ``NAME.bin`` beside it."""
    model = PurePosixPath(f"{name}.model" if spec.path is None else spec.path)
    stem = model.with_suffix("") if model.suffix == ".model" else model
    return TokenizerPaths(model, stem.with_name(f"{stem.name}.vocab"), stem.with_name(f"{stem.name}.bin"))


def model_path(name: str, spec: ModelSpec) -> PurePosixPath:
    """The file of a finished model: ``NAME.bin``."""
    return PurePosixPath(f"{name}.bin" if spec.path is None else spec.path)


def run_out(name: str, spec: RunSpec) -> PurePosixPath:
    """The folder of a run's results: ``out/NAME``."""
    return PurePosixPath(f"out/{name}" if spec.out is None else spec.out)


def export_path(name: str, spec: ExportSpec, manifest: Manifest, suffix: str) -> PurePosixPath:  # noqa: ARG001 - as above
    """The file of an export: ``model`` with the format's suffix (``.bin``), in the run's folder."""
    if spec.path is not None:
        return PurePosixPath(spec.path)
    return run_out(spec.run, manifest.run[spec.run]) / f"model{suffix}"


def program_paths(name: str, spec: ProgramSpec) -> ProgramPaths:
    """The executable ``NAME``, and ``NAME.c`` beside it."""
    executable = PurePosixPath(name if spec.path is None else spec.path)
    return ProgramPaths(executable, executable.with_name(f"{executable.name}.c"))


def all_exports(manifest: Manifest) -> dict[str, ExportSpec]:
    """The declared exports, and the one of its own name that every run implies: llama2.c's of a Llama, else safetensors."""
    undeclared = {name: run for name, run in manifest.run.items() if name not in manifest.export}
    implied = {name: _implied_export(name, run, manifest) for name, run in undeclared.items()}
    return {**implied, **manifest.export}


def _implied_export(name: str, run: RunSpec, manifest: Manifest) -> ExportSpec:
    model = manifest.model.get(run.model)
    is_llama = model is None or model.arch == "llama"
    return ExportSpec(run=name) if is_llama else ExportSpec(run=name, format="safetensors")


def all_programs(manifest: Manifest) -> dict[str, ProgramSpec]:
    """The declared programs, or the one that whatever can be played implies."""
    if manifest.program or not (manifest.run or manifest.model):
        return dict(manifest.program)
    return {DEFAULT_PROGRAM: ProgramSpec()}

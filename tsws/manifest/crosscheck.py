"""What only shows when several keys or tables are looked at together, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tsws.manifest import sources
from tsws.manifest.collisions import check_collisions
from tsws.manifest.consistency import check_dataset, check_model, check_run, check_tokenizer
from tsws.manifest.outputs import DEFAULT_PROGRAM, all_exports
from tsws.manifest.problems import KeyPath, Problem, quoted
from tsws.manifest.references import Names
from tsws.manifest.specs import TABLES, Manifest, RunSpec
from tsws.manifest.words import did_you_mean
from tsws.plugin import Plugins

_FIXED_BY_LLAMA2C = {"norm_eps": 1e-5, "rope_theta": 10000.0}
"""What a llama2.c file has no field for (https://github.com/karpathy/llama2.c, ``run.c``)."""


def crosscheck(manifest: Manifest, data: Mapping[str, Any], names: Names, plugins: Plugins) -> Iterator[Problem]:
    """All that does not fit together.

    Args:
        manifest: the entries that are right by themselves; what names a missing one is left alone.
        data: the plain data it came from, for what was given and what is a default.
        names: all declared names.
        plugins: for the suffixes of export formats.
    """
    for name, dataset in manifest.dataset.items():
        yield from check_dataset(("dataset", name), dataset, data["dataset"][name])
    for name, tokenizer in manifest.tokenizer.items():
        yield from check_tokenizer(("tokenizer", name), tokenizer, data["tokenizer"][name])
        corpus = manifest.dataset.get(tokenizer.train or "")
        if corpus is not None and corpus.format == "shards" and corpus.tokenizer != name:
            message = f"a tokenizer is trained on text, and dataset {quoted(str(tokenizer.train))} is shards"
            yield Problem(("tokenizer", name, "train"), message)
    for name, model in manifest.model.items():
        yield from check_model(("model", name), model, data["model"][name])
    for name, run in manifest.run.items():
        yield from check_run(("run", name), run)
        yield from _check_run_inputs(("run", name), run, manifest)
    yield from _check_exports(manifest)
    yield from _check_sources(manifest)
    yield from _check_default(manifest, names)
    yield from check_collisions(manifest, data, plugins)


def _check_run_inputs(path: KeyPath, run: RunSpec, manifest: Manifest) -> Iterator[Problem]:
    dataset = manifest.dataset.get(run.dataset)
    model = manifest.model.get(run.model)
    tokenizer_name = run.tokenizer or (dataset.tokenizer if dataset else None)
    if dataset is not None and tokenizer_name is None:
        yield Problem((*path, "tokenizer"), f"expected a tokenizer: dataset {quoted(run.dataset)} is text and has none")
    if dataset is not None and run.tokenizer and dataset.tokenizer and run.tokenizer != dataset.tokenizer:
        message = f"the shards of {quoted(run.dataset)} were made with {quoted(dataset.tokenizer)}"
        yield Problem((*path, "tokenizer"), f"{message}; leave this key out, or name that one")
    if model is None:
        return
    if model.source is not None:
        yield Problem((*path, "model"), f"{quoted(run.model)} is a finished model (`source`), which is not trained")
        return
    if run.eval_tokens < model.max_seq_len:
        message = f"expected at least max_seq_len = {model.max_seq_len} of the model, found {run.eval_tokens}"
        yield Problem((*path, "eval_tokens"), message)
    tokenizer = manifest.tokenizer.get(tokenizer_name or "")
    pieces = tokenizer.vocab_size if tokenizer else None
    if model.vocab_size is not None and pieces is not None and model.vocab_size != pieces:
        message = f"the model has vocab_size = {model.vocab_size}, its tokenizer {quoted(str(tokenizer_name))} {pieces}"
        yield Problem((*path, "model"), f"{message}; leave it out of the model to take the tokenizer's")


def _check_exports(manifest: Manifest) -> Iterator[Problem]:
    """What the format of a file can not say is better known before training than after."""
    for name, export in all_exports(manifest).items():
        run = manifest.run.get(export.run)
        model = manifest.model.get(run.model) if run else None
        if run is None or model is None or model.source is not None or export.format != "llama2c":
            continue
        writes = f"export {quoted(name)} writes a llama2c file"
        hint = f"; give [export.{name}] another format"
        if model.arch != "llama":
            message = f'{writes}, which only holds `arch = "llama"`, found {quoted(model.arch)}{hint}'
            yield Problem(("model", run.model, "arch"), message)
            continue
        for key, fixed in _FIXED_BY_LLAMA2C.items():
            if (value := getattr(model, key)) != fixed:
                message = f"{writes}, which fixes this at {fixed:g}, found {value:g}{hint}"
                yield Problem(("model", run.model, key), message)


def _check_sources(manifest: Manifest) -> Iterator[Problem]:
    for path, source in sources.all_sources(manifest):
        if fault := sources.fault(source):
            yield Problem(path, fault)
        elif source.startswith(sources.BUILTIN) and (path[0], path[2]) != ("dataset", "source"):
            yield Problem(path, "only the `source` of a dataset can be built in")


def _check_default(manifest: Manifest, names: Names) -> Iterator[Problem]:
    exports = names["export"] | names["run"]
    known = {f"{table}.{name}" for table in TABLES if table != "backend" for name in names[table]}
    known |= {f"export.{name}" for name in exports} | {f"program.{DEFAULT_PROGRAM}"}
    known |= {f"tokens.{dataset}.{name}" for dataset in names["dataset"] for name in names["tokenizer"]}
    for index, address in enumerate(manifest.workspace.default or ()):
        if address not in known:
            shown = {address for address in known if not address.startswith("tokens.")}
            message = f"there is nothing with the address {quoted(address)}{did_you_mean(address, shown)}"
            yield Problem(("workspace", "default", index), message)

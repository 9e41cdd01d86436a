"""Turning a manifest into resources; what is implied is added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tsws.job import VolumeRef
from tsws.manifest.outputs import all_exports, all_programs, export_path, tokenizer_paths
from tsws.manifest.specs import Manifest, RunSpec
from tsws.plugin import Plugins
from tsws.reconcile.graph import Graph
from tsws.reconcile.resource import Resource
from tsws.resources.dataset import dataset_resource
from tsws.resources.export import export_resource
from tsws.resources.pretrained import pretrained_resource
from tsws.resources.program import program_resource
from tsws.resources.remote import RemoteRunRule, remote_run_resource
from tsws.resources.run import run_resource, tokenizer_of
from tsws.resources.tokenizer import tokenizer_resource
from tsws.resources.tokens import tokens_resource
from tsws.resources.volume import volume_resource
from tsws.sync.patterns import Selection


@dataclass(frozen=True)
class Expansion:
    """What a manifest means for one workspace."""

    manifest: Manifest
    """The one that was expanded."""
    graph: Graph

    @cached_property
    def declared(self) -> frozenset[str]:
        """Every address that the manifest means, here or in a volume: what has another record is an orphan.

        What was made here before its run was given a volume still counts there, so it is none.
        """
        there = (one.rule.there()[0] for one in self.graph if isinstance(one.rule, RemoteRunRule) and not one.blocked)
        return frozenset([*self.graph.order, *(address for graph in there for address in graph.order)])

    def companions(self, address: str) -> tuple[str, ...]:
        """An address and all that a person who asks for it wants to have with it.

        A run comes with its exports, its volume and the program that plays it; a finished model with its program.
        """
        kind, _, name = address.partition(".")
        found = [address]
        if kind == "run" and name in self.manifest.run:
            spec = self.manifest.run[name]
            if spec.volume is None:
                found += [f"export.{one}" for one, export in all_exports(self.manifest).items() if export.run == name]
            else:
                found.append(f"volume.{spec.volume}")
        if kind in {"run", "model"}:
            found += [resource.address for resource in self.graph if resource.kind == "program"][:1]
        return tuple(found)

    def everything(self) -> tuple[str, ...]:
        """What ``--all`` means: whatever nothing else needs. What only runs in a volume need is made there."""
        return tuple(address for address in self.graph.sinks() if address not in self._needed_there())

    def _needed_there(self) -> set[str]:
        there = [run for run in self.manifest.run.values() if run.volume is not None]
        datasets = {f"dataset.{run.dataset}" for run in there}
        return datasets | {f"tokenizer.{tokenizer_of(run, self.manifest)}" for run in there}

    def default(self) -> tuple[str, ...]:
        """What a bare ``tsws apply`` reconciles."""
        chosen = self.manifest.workspace.default
        if chosen is None:
            return self.everything()
        return tuple(dict.fromkeys(one for address in chosen for one in self.companions(address)))

    def carrier(self, address: str) -> str:
        """The resource of the graph that stands for an address: an export on a volume belongs to its run."""
        kind, _, name = address.partition(".")
        if kind == "export" and address not in self.graph:
            export = all_exports(self.manifest).get(name)
            if export is not None:
                return f"run.{export.run}"
        return address


def expand(manifest: Manifest, data: dict[str, Any], plugins: Plugins, root: Path) -> Expansion:
    """The resources of a manifest.

    Args:
        manifest: checked.
        data: the plain data that it was made from (jobs carry a part of it).
        plugins: who provides what.
        root: the workspace.

    Raises:
        PlanError: resources depend on each other in a circle.
    """
    return Expansion(manifest, Graph(_resources(manifest, data, plugins, root)))


def _graph(manifest: Manifest, data: dict[str, Any], plugins: Plugins, root: Path) -> Graph:
    """What a volume's part of a manifest means there."""
    return expand(manifest, data, plugins, root).graph


def _resources(manifest: Manifest, data: dict[str, Any], plugins: Plugins, root: Path) -> Iterator[Resource]:
    for name, dataset in manifest.dataset.items():
        yield dataset_resource(name, dataset, plugins, root)
    for name, tokenizer in manifest.tokenizer.items():
        yield tokenizer_resource(name, tokenizer, manifest.dataset, plugins, root)
    for dataset_name, tokenizer_name in dict.fromkeys(_token_pairs(manifest)):
        yield tokens_resource(dataset_name, manifest.dataset[dataset_name], tokenizer_name)
    for name, model in manifest.model.items():
        if model.source is not None:
            yield pretrained_resource(name, model, plugins, root)
    for name, run in manifest.run.items():
        if run.volume is None:
            yield run_resource(name, run, manifest, plugins, root)
        else:
            yield remote_run_resource(name, run, manifest, data, plugins, root, _graph)
    for name, export in all_exports(manifest).items():
        if manifest.run[export.run].volume is None:
            yield export_resource(name, export, manifest, plugins)
    for name, program in all_programs(manifest).items():
        yield program_resource(name, program, plugins)
    for name in manifest.volume:
        yield _volume(name, manifest, plugins, root)


def _token_pairs(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Datasets of text and tokenizers that runs of this workspace use together."""
    for run in manifest.run.values():
        if run.volume is None and manifest.dataset[run.dataset].format != "shards":
            yield run.dataset, tokenizer_of(run, manifest)


def _volume(name: str, manifest: Manifest, plugins: Plugins, root: Path) -> Resource:
    """A volume is brought into step after everything that makes a file of its list, on either side."""
    spec = manifest.volume[name]
    there = {run: run_spec for run, run_spec in manifest.run.items() if run_spec.volume == name}
    here = {run: run_spec for run, run_spec in manifest.run.items() if run_spec.volume is None}
    implied = dict(_results(there or here, manifest, plugins))
    patterns = list(implied) if spec.sync is None else spec.sync
    made_there = dict(_results(there, manifest, plugins))
    made_here = [
        address
        for path, address in _results(here, manifest, plugins)
        if path not in made_there and path in Selection(patterns)
    ]
    after = dict.fromkeys([*(f"run.{run}" for run in there), *made_here])
    ref = VolumeRef(name=name, kind=spec.kind, options=spec.options)
    return volume_resource(ref, patterns, tuple(after), plugins, root)


def _results(runs: dict[str, RunSpec], manifest: Manifest, plugins: Plugins) -> Iterator[tuple[str, str]]:
    """What some runs give (their exports and their tokenizers): the path of each file, and who makes it."""
    for name, export in all_exports(manifest).items():
        if export.run in runs and export.format in plugins.exporters:
            suffix = plugins.exporters[export.format].suffix
            yield str(export_path(name, export, manifest, suffix)), f"export.{name}"
    for run in runs.values():
        tokenizer = tokenizer_of(run, manifest)
        paths = tokenizer_paths(tokenizer, manifest.tokenizer[tokenizer])
        yield str(paths.model), f"tokenizer.{tokenizer}"
        yield str(paths.bin), f"tokenizer.{tokenizer}"

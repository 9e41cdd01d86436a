"""Somebody's finished model: ``[model.NAME] source = ...``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsws.manifest.outputs import model_path
from tsws.manifest.specs import ModelSpec
from tsws.plugin import Plugins
from tsws.reconcile.action import Change, Estimate
from tsws.reconcile.facts import Facts
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.resources.sourcing import Fetching, estimate_fetch, own_files

ROLE = "model.bin"


def pretrained_resource(name: str, spec: ModelSpec, plugins: Plugins, root: Path) -> Resource:
    """The resource of one ``[model.NAME]`` that has a source."""
    path = str(model_path(name, spec))
    return Resource(
        address=f"model.{name}",
        rule=PretrainedRule(spec, path, plugins, root),
        identity={"source": spec.source, "sha256": spec.sha256},
        after=(f"tokenizer.{spec.tokenizer}",) if spec.tokenizer else (),
        sources=own_files(spec.source),
        outputs=(path,),
    )


@dataclass(frozen=True)
class PretrainedRule(BaseRule):
    """Bring the file and check that it is a model."""

    spec: ModelSpec
    path: str
    plugins: Plugins
    root: Path

    version = 1

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:  # noqa: ARG002
        """What is to be fetched."""
        return estimate_fetch(self.root, (self.spec.source or "",), change)

    def make(self, making: Making) -> Result:
        """Bring the model; its sizes come from its header."""
        from tsws.model.llama2c import read_header

        source, sha256 = self.spec.source or "", self.spec.sha256
        path, owned = Fetching(self.plugins).bring_one(making, source, place=self.path, sha256=sha256)
        config = read_header(path)
        return Result([Made(ROLE, path, self.path if owned else None, owned=owned)], {"config": config.to_fields()})

"""Exports: trained weights as a file of some format. Every run implies one, of its own name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tsws.errors import PluginError
from tsws.manifest.outputs import export_path
from tsws.manifest.specs import ExportSpec, Manifest
from tsws.plugin import Exporter, Plugins
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result

ROLE = "model"


def export_resource(name: str, spec: ExportSpec, manifest: Manifest, plugins: Plugins) -> Resource:
    """The resource of one export."""
    exporter = plugins.exporters.get(spec.format)
    identity = {"format": spec.format, "weights": spec.weights, "options": dict(spec.options)}
    if exporter is None:
        return Resource(
            address=f"export.{name}",
            rule=BlockedRule(),
            identity=identity,
            inputs=(f"run.{spec.run}",),
            blocked=f"no plugin provides the export format {spec.format!r}",
            blocked_hint=f"known formats: {', '.join(sorted(plugins.exporters)) or 'none'}",
        )
    path = str(export_path(name, spec, manifest, exporter.suffix))
    return Resource(
        address=f"export.{name}",
        rule=ExportRule(spec, path, exporter),
        identity={**identity, "exporter": exporter.version},
        inputs=(f"run.{spec.run}",),
        outputs=(path,),
    )


@dataclass(frozen=True)
class BlockedRule(BaseRule):
    """Stands where nothing can be made."""

    def make(self, making: Making) -> Result:
        """Never called: the resource is blocked.

        Raises:
            PluginError: always.
        """
        raise PluginError(f"{making.resource.address}: {making.resource.blocked}", hint=making.resource.blocked_hint)


@dataclass(frozen=True)
class ExportRule(BaseRule):
    """Hand the run's weights to the exporter."""

    spec: ExportSpec
    path: str
    exporter: type[Exporter]

    version = 1

    def make(self, making: Making) -> Result:
        """Export."""
        from tsws.model.weights import read_config

        weights = making.input_path(f"run.{self.spec.run}", self.spec.weights)
        config: Mapping[str, Any] = read_config(weights)
        options = msgspec.convert(self.spec.options, self.exporter.Options)
        target = making.folder / f"export{self.exporter.suffix}"
        self.exporter().export(weights, config, target, options)
        return Result([Made(ROLE, target, self.path)])

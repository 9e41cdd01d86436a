"""What every operation on a workspace needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tsws.manifest.specs import Manifest
from tsws.plugin import Plugins
from tsws.reconcile.store import Store
from tsws.resources.expand import Expansion, expand


@dataclass(frozen=True)
class Context:
    """An opened workspace, as a value."""

    root: Path
    manifest: Manifest
    """Checked."""
    data: dict[str, Any]
    """The same as plain TOML data, includes merged and overrides applied."""
    plugins: Plugins

    @cached_property
    def store(self) -> Store:
        """Its records."""
        return Store(self.root)

    @cached_property
    def expansion(self) -> Expansion:
        """The resources that the manifest means."""
        return expand(self.manifest, self.data, self.plugins, self.root)

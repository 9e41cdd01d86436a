"""What every operation on a workspace needs to know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tsws.errors import TswsError
from tsws.io.locks import workspace_lock
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

    @contextmanager
    def exclusively(self, purpose: str) -> Iterator[None]:
        """Nobody else changes anything here meanwhile.

        Args:
            purpose: what others are told when they find the workspace locked.

        Raises:
            LockedError: somebody else does; the message says who.
            TswsError: the disk refuses.
        """
        try:
            with workspace_lock(self.store.lock_path, purpose=purpose):
                yield
        except OSError as error:
            raise TswsError(
                f"{error.filename or self.root}: the disk refused: {error.strerror or error}",
                hint="make room or mend the permissions there",
            ) from error

    @cached_property
    def store(self) -> Store:
        """Its records."""
        return Store(self.root)

    @cached_property
    def expansion(self) -> Expansion:
        """The resources that the manifest means."""
        return expand(self.manifest, self.data, self.plugins, self.root)

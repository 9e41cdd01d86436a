"""A declarative workspace for tiny language models.

``from tsws import Workspace`` is the way in for notebooks; importing it is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tsws.version import __version__

if TYPE_CHECKING:
    from tsws.workspace import Workspace

__all__ = ["Workspace", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the workspace only when it is asked for: plugins and workers import this package too."""
    if name == "Workspace":
        from tsws.workspace import Workspace

        return Workspace
    raise AttributeError(name)

"""What TSWS_LOAD_PLUGINS keeps out: the first thing to look at when something seems not to be installed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsws.cli.words import enumeration
from tsws.io.entry_points import installed
from tsws.plugin.manager import GROUP, LIMIT_VARIABLE

if TYPE_CHECKING:
    from tsws.cli.session import Session
    from tsws.reconcile.action import Plan
    from tsws.workspace import Workspace


@dataclass(frozen=True)
class Limit:
    """The environment's choice among the installed plugins."""

    value: str
    """Of the variable."""
    kept_out: tuple[str, ...]
    """Installed, and not loaded."""
    nowhere: tuple[str, ...]
    """Chosen, and not installed."""

    def words(self) -> str:
        """``TSWS_LOAD_PLUGINS="local,nope" keeps out folder and names nope, which is no installed plugin``."""
        parts = [f"keeps out {enumeration(self.kept_out)}"] if self.kept_out else []
        if self.nowhere:
            have = "is no installed plugin" if len(self.nowhere) == 1 else "are no installed plugins"
            parts.append(f"names {enumeration(self.nowhere)}, which {have}")
        return f'{LIMIT_VARIABLE}="{self.value}" {" and ".join(parts)}'


def find_limit() -> Limit | None:
    """What the environment keeps out, or names in vain; None when it does neither."""
    value = os.environ.get(LIMIT_VARIABLE)
    if value is None:
        return None
    chosen = list(dict.fromkeys(filter(None, map(str.strip, value.split(",")))))
    there = sorted({point.name for point in installed(GROUP)})
    kept_out = tuple(name for name in there if name not in chosen)
    nowhere = tuple(name for name in chosen if name not in there)
    return Limit(value, kept_out, nowhere) if kept_out or nowhere else None


def mention_limit(session: Session, workspace: Workspace, plan: Plan) -> None:
    """Warn of what the environment keeps out where something that plugins provide may be missing."""
    if (plan.blocked or workspace.warnings) and (limit := find_limit()) is not None:
        session.warn(limit.words())

"""Runs as the command line names them: RUN, RUN@VERSION, or the file with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tsws.cli.session import Session
    from tsws.report.run_view import RunView
    from tsws.workspace import Workspace


def viewed(session: Session, names: Sequence[str], overrides: Sequence[str]) -> list[RunView]:
    """The runs that some names mean. A workspace is only needed where one of them is no file.

    Raises:
        TswsError: one of them does not exist, or has not been started.
    """
    from tsws.workspace.run_views import view_of_file, view_of_run

    workspace: Workspace | None = None
    found = []
    for name in names:
        if is_file(name):
            found.append(view_of_file(Path(name)))
            continue
        workspace = workspace or session.open(overrides)
        found.append(view_of_run(workspace.context, name))
    return found


def is_file(name: str) -> bool:
    """Whether a name is of a file, or of a folder, and not of a run."""
    return name.endswith(".jsonl") or "/" in name or (Path(name) / "metrics.jsonl").is_file()

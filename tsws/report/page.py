"""The report: one HTML page that needs nothing else, with the numbers of ``metrics.jsonl`` in it as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from tsws.errors import TswsError
from tsws.report.page_parts import charts, configuration, evaluations, facts, stories, summary
from tsws.report.run_view import RunView
from tsws.version import __version__

_PACKAGE = Path(__file__).resolve().parent.parent


def pages_folder() -> Path:
    """The folder with what pages are made from: inside an installed package, or in the checkout.

    Raises:
        TswsError: it is in neither place.
    """
    for folder in (_PACKAGE / "_shipped" / "templates" / "pages", _PACKAGE.parent / "templates" / "pages"):
        if (folder / "report.html").is_file():
            return folder
    raise TswsError(
        "the template of the report is missing", hint="install tsws again: pip install --force-reinstall tsws"
    )


def report_page(runs: Sequence[RunView]) -> str:
    """The report of some runs, their curves laid over each other.

    The lines of ``metrics.jsonl`` stand in it unchanged, as JSON in the element ``runs``. The page asks for nothing
    from anywhere: its security policy would not let it.

    Args:
        runs: at least one.

    Raises:
        TswsError: the installation is incomplete.
    """
    folder = pages_folder()
    parts = [summary(runs), charts(runs), evaluations(runs), stories(runs), facts(runs), configuration(runs)]
    return Template((folder / "report.html").read_text(encoding="utf-8")).substitute(
        title=escape(" and ".join(run.label for run in runs)),
        generator=f"tsws {__version__}",
        style=(folder / "report.css").read_text(encoding="utf-8"),
        script=(folder / "report.js").read_text(encoding="utf-8"),
        body="".join(parts),
        data=_embedded(runs),
    )


def _embedded(runs: Sequence[RunView]) -> str:
    """The numbers as JSON that can not end the element that it stands in."""
    data = [{"label": run.label, "lines": list(run.lines)} for run in runs]
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")

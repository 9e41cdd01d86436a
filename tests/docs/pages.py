"""Where the pages are."""

from __future__ import annotations

from pathlib import Path

from tests.docs.markdown import Page

REPOSITORY = Path(__file__).resolve().parents[2]
README = "README.md"
TUTORIAL = "docs/tutorial.md"


def page(path: str) -> Page:
    """A page by its path in the repository."""
    return Page.read(REPOSITORY / path)


def pages() -> list[Page]:
    """The README and all of ``docs/``."""
    return [page(README), *(Page.read(path) for path in sorted((REPOSITORY / "docs").glob("*.md")))]

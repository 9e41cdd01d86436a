"""Every link between pages, and into the repository, leads somewhere."""

from __future__ import annotations

import pytest

from tests.docs.markdown import Page
from tests.docs.pages import README, REPOSITORY, page, pages


@pytest.mark.parametrize("shown", pages(), ids=lambda shown: shown.path.name)
def test_links_lead_somewhere(shown: Page) -> None:
    broken = []
    for link in shown.links:
        if link.startswith(("https://", "http://")):
            continue
        file, _, fragment = link.partition("#")
        target = (shown.path.parent / file).resolve() if file else shown.path
        if not target.exists() or not target.is_relative_to(REPOSITORY):
            broken.append(f"{link}: there is no such file")
        elif fragment and fragment not in Page.read(target).anchors:
            broken.append(f"{link}: there is no such heading")
    assert broken == []


def test_the_readme_leads_to_every_page() -> None:
    linked = {link.partition("#")[0] for link in page(README).links}
    assert {f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")} <= linked

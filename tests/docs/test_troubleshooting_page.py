"""The messages that the page explains are messages of tsws."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import REPOSITORY, page

TROUBLESHOOTING = page("docs/troubleshooting.md")
MESSAGES = re.findall(r"^## `(.+)`$", TROUBLESHOOTING.text, re.MULTILINE)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_message_stands_in_the_source(message: str) -> None:
    sources = (path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "tsws").rglob("*.py")))
    assert any(message in source for source in sources)

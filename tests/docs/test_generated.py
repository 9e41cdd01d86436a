"""What is generated from the code is as the code has it now."""

from __future__ import annotations

import pytest

from tests.docs.generated import SCHEMAS, render, schema
from tests.docs.markdown import Page
from tests.docs.pages import REPOSITORY, pages

AGAIN = "`python -m tests.docs.regenerate` writes it again"


@pytest.mark.parametrize("shown", pages(), ids=lambda shown: shown.path.name)
def test_generated_parts_are_up_to_date(shown: Page) -> None:
    for name, text in shown.generated():
        assert text == render(name), f"{shown.path.name}, {name}: {AGAIN}"


@pytest.mark.parametrize("path", SCHEMAS)
def test_published_schemas_are_up_to_date(path: str) -> None:
    assert (REPOSITORY / path).read_text() == schema(path), f"{path}: {AGAIN}"

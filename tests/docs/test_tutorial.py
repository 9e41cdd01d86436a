"""The tutorial, carried out from top to bottom."""

from __future__ import annotations

import pytest

from tests.docs.console import Console
from tests.docs.layout import unlisted
from tests.docs.pages import TUTORIAL, page


@pytest.mark.slow
def test_everything_in_the_tutorial_comes_out_as_shown(console: Console) -> None:
    console.play(page(TUTORIAL).blocks)
    # What it leaves behind is what the page of the files names.
    assert unlisted(console.folder, ".gitignore", "texts") == []
    assert unlisted(console.folder.parent / "attic", "texts") == []

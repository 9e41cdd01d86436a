"""The tutorial, carried out from top to bottom."""

from __future__ import annotations

import pytest

from tests.docs.console import Console
from tests.docs.pages import TUTORIAL, page


@pytest.mark.slow
def test_everything_in_the_tutorial_comes_out_as_shown(console: Console) -> None:
    console.play(page(TUTORIAL).blocks)

"""The page about Modal: its manifest plans, without a token, as it says."""

from __future__ import annotations

from tests.docs.console import Console
from tests.docs.pages import page


def test_the_first_steps_lead_to_a_plan_with_a_price(console: Console) -> None:
    for name in ("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"):
        console.environment[name] = ""
    console.environment["MODAL_CONFIG_PATH"] = str(console.folder / "nobody.toml")
    console.play(page("docs/modal.md").blocks)

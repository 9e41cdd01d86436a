"""The generated reference of keys."""

from __future__ import annotations

from tsws.manifest.reference import reference_markdown
from tsws.manifest.shapes import keys_of
from tsws.manifest.specs import TABLES, WorkspaceSpec


def test_every_key_has_a_row_with_its_value_and_description() -> None:
    text = reference_markdown()
    structs = {"[workspace]": WorkspaceSpec, **{f"[{name}.NAME]": spec for name, spec in TABLES.items()}}
    for title, struct in structs.items():
        section = text.partition(f"### `{title}`\n")[2].partition("\n### ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        keys = [key for key in keys_of(struct) if key != "options" or title in ("[model.NAME]", "[export.NAME]")]
        assert [row.split("`")[1] for row in rows] == keys
        for row in rows:
            cells = [cell.strip() for cell in row.replace("\\|", "").strip("|").split("|")]
            assert len(cells) == 5
            assert cells[1] and cells[4]
            assert cells[3] in ("identity", "operational")


def test_rows_say_what_people_need() -> None:
    lines = reference_markdown().splitlines()
    assert "| `max_iters` | a whole number of at least 1 | `1000` | identity | Number of optimizer steps. |" in lines
    assert (
        '| `backend` | text in quotes | `"local"` | operational | Where it trains: `local`, or a plugin\'s. |' in lines
    )
    assert "| `model` | the name of a model | required | identity | The model to train. |" in lines

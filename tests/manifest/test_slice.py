"""The part of a manifest that travels with a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsws.manifest import Loaded, load
from tsws.manifest.slice import slice_manifest
from tsws.plugin import Plugins


@pytest.fixture(scope="module")
def example(plugins: Plugins) -> Loaded:
    return load(Path(__file__).parent / "example.toml", plugins=plugins)


@pytest.mark.parametrize(
    ("addresses", "entries"),
    [
        (
            ["run.baby"],
            "dataset.tok105 tokenizer.tok105 model.baby run.baby volume.tinystories-volume backend.modal",
        ),
        (["run.quickstart"], "dataset.toy tokenizer.toy512 model.tiny run.quickstart"),
        (["export.quickstart"], "dataset.toy tokenizer.toy512 model.tiny run.quickstart"),
        (["tokens.mine.tok512"], "dataset.mine tokenizer.tok512"),
        (["tokens.toy.toy512"], "dataset.toy tokenizer.toy512"),
        (["tokenizer.toy512", "program.run"], "dataset.toy tokenizer.toy512 program.run"),
        (["model.stories260K"], "tokenizer.tok512 model.stories260K"),
        (["volume.tinystories-volume"], "volume.tinystories-volume"),
        (["nothing.there", "run.nobody"], ""),
    ],
)
def test_a_slice_has_what_the_addresses_need(addresses: list[str], entries: str, example: Loaded) -> None:
    part = slice_manifest(example.data, example.manifest, addresses)
    assert part.pop("workspace") == {"name": "tinystories"}
    assert [f"{table}.{name}" for table in part for name in part[table]] == entries.split()
    assert all(example.data[table][name] == entry for table in part for name, entry in part[table].items())


def test_a_slice_shares_nothing_with_the_whole(example: Loaded) -> None:
    part = slice_manifest(example.data, example.manifest, ["run.baby"])
    part["volume"]["tinystories-volume"]["sync"].append("more")
    assert "more" not in example.data["volume"]["tinystories-volume"]["sync"]

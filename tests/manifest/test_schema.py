"""The JSON Schema for editors agrees with loading, as far as it can see."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tsws.manifest.schema import json_schema
from tsws.manifest.shapes import keys_of
from tsws.manifest.specs import TABLES
from tsws.plugin import Plugins

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def validator(plugins: Plugins) -> Draft202012Validator:
    schema = json_schema(plugins)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def mistakes(validator: Draft202012Validator, data: dict[str, Any]) -> list[str]:
    return sorted(".".join(map(str, error.absolute_path)) for error in validator.iter_errors(data))


@pytest.mark.parametrize(
    "path",
    [
        "tests/manifest/example.toml",
        "tinystories.toml",
        "templates/quickstart/tinystories.toml",
        "templates/tinystories/tinystories.toml",
        "templates/your-own-text/tinystories.toml",
    ],
)
def test_right_manifests_are_valid(repository: Path, path: str, validator: Draft202012Validator) -> None:
    assert mistakes(validator, tomllib.loads((repository / path).read_text())) == []


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("choices", ["dataset.toy.format", "export.one.weights"] + ["run.one." + key for key in ("device", "dtype", "recipe", "schedule")]),
        ("missing-keys", ["dataset.toy", "export.two", "run.one", "run.one", "volume.three"]),
        ("names", ["model", "model", "model"]),
        ("unknown-keys", ["dataset.toy", "model.tiny", "workspace"]),
        ("unknown-table", [""]),
        ("plugin-options", ["backend.local", "backend.other", "model.tiny.options", "note.empty", "note.empty", "volume.attic"]),
        (
            "out-of-range",
            ["dataset.toy.seed", "dataset.toy.stories"]
            + ["model.tiny." + key for key in ("dim", "dropout", "n_layers", "norm_eps")]
            + ["run.one." + key for key in ("beta2", "decay_fraction", "learning_rate")]
            + ["tokenizer.big.character_coverage", "tokenizer.big.vocab_size"],
        ),
    ],
)  # fmt: skip
def test_mistakes_of_one_key_show_in_the_editor(name: str, places: list[str], validator: Draft202012Validator) -> None:
    data = tomllib.loads((HERE / "broken" / f"{name}.toml").read_text())
    assert mistakes(validator, data) == places


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ({"backend": {"local": {}}}, []),
        ({"backend": {"local": {"threads": 2}}}, []),
        ({"backend": {"fast": {"kind": "local", "threads": 2}}}, []),
        ({"backend": {"fast": {"kind": "local", "gpu": "T4"}}}, ["backend.fast"]),
        ({"backend": {"modal": {"gpu": "T4"}}}, []),
        ({"backend": {"local": {"kind": "modal", "gpu": "T4"}}}, []),
        ({"volume": {"a": {"kind": "folder", "path": "a"}}}, []),
        ({"volume": {"a": {"kind": "folder", "bucket": "a"}}}, ["volume.a"]),
        ({"volume": {"a": {"kind": "s3", "bucket": "a", "sync": ["x"]}}}, []),
        ({"volume": {"a": {"kind": "s3", "sync": "x"}}}, ["volume.a"]),
        ({"model": {"a": {"arch": "mamba", "options": {"state": 16}}}}, []),
        ({"model": {"a": {"arch": "llama", "options": {"state": 16}}}}, ["model.a.options"]),
    ],
)
def test_keys_of_plugins_depend_on_the_kind(
    data: dict[str, Any], places: list[str], validator: Draft202012Validator
) -> None:
    assert mistakes(validator, data) == places


def test_every_key_has_a_description(plugins: Plugins) -> None:
    tables = json_schema(plugins)["properties"]
    for table in TABLES.keys() - {"volume", "backend"}:
        properties = tables[table]["additionalProperties"]["properties"]
        assert properties.keys() == keys_of(TABLES[table]).keys()
        assert [key for key, schema in properties.items() if not schema.get("description")] == []


def test_without_plugins_it_is_still_a_schema() -> None:
    schema = json_schema(Plugins())
    Draft202012Validator.check_schema(schema)
    data = tomllib.loads((HERE / "example.toml").read_text())
    assert mistakes(Draft202012Validator(schema), data) == []

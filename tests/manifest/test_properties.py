"""What holds for every manifest: it comes back as it was written, and no junk gets through or brings anything down."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsws.errors import ManifestError
from tsws.manifest import load, load_data
from tsws.manifest.schema import json_schema
from tsws.manifest.shapes import keys_of
from tsws.manifest.slice import slice_manifest
from tsws.manifest.specs import TABLES, WorkspaceSpec
from tsws.plugin import Plugins

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)


def some(draw: st.DrawFn, keys: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Any part of some optional keys."""
    return {key: draw(values) for key, values in keys.items() if draw(st.booleans())}


@st.composite
def right_manifests(draw: st.DrawFn) -> dict[str, Any]:
    """Manifests without a mistake. Each table has names of its own, so that no outputs collide."""
    bare = draw(st.booleans())

    def reference(table: str, choices: list[str]) -> str:
        name = draw(st.sampled_from(choices))
        return name if bare else f"{table}.{name}"

    def table(prefix: str) -> list[str]:
        return [f"{prefix}-{name}" for name in draw(st.lists(names, min_size=1, max_size=3, unique=True))]

    datasets, tokenizers, models = table("d"), table("t"), table("m")
    data: dict[str, Any] = {"dataset": {}, "tokenizer": {}, "model": {}, "run": {}}
    texts = {
        "stories": st.integers(1, 10**6),
        "seed": st.integers(0, 2**63 - 1),
        "val": st.sampled_from(["5%", "0.5%"]),
    }
    for name in datasets:
        data["dataset"][name] = {"source": "builtin:toy-stories", **some(draw, texts)}
    trained = {"byte_fallback": st.booleans(), "character_coverage": st.sampled_from([1.0, 0.9995, 1])}
    for name in tokenizers:
        vocab_size = draw(st.integers(261, 65536))
        data["tokenizer"][name] = {"train": reference("dataset", datasets), "vocab_size": vocab_size}
        data["tokenizer"][name] |= some(draw, trained)
    for name in models:
        heads = draw(st.integers(1, 8))
        sizes = {"n_layers": st.integers(1, 64), "dropout": st.floats(0, 0.9), "tie_embeddings": st.booleans()}
        dim = heads * 2 * draw(st.integers(1, 32))
        data["model"][name] = {"dim": dim, "n_heads": heads, **some(draw, sizes)}
    keys = {
        "max_iters": st.integers(1, 10**9),
        "learning_rate": st.floats(1e-9, 1.0),
        "schedule": st.sampled_from(["cosine", "wsd", "constant"]),
        "checkpoint_interval": st.sampled_from([100, "5m", "1h30m"]),
        "sample_prompt": st.text(max_size=20),
        "device": st.sampled_from(["cpu", "cuda:1"]),
        "backend": st.sampled_from(["local", "here", "elsewhere"]),
    }
    for name in draw(st.lists(names, max_size=3, unique=True)):
        data["run"][f"r-{name}"] = {
            "model": reference("model", models),
            "dataset": reference("dataset", datasets),
            "tokenizer": reference("tokenizer", tokenizers),
            **some(draw, keys),
        }
    if runs := list(data["run"]):
        data["workspace"] = {"default": [f"run.{name}" for name in runs]}
        data["export"] = {"e": {"run": reference("run", runs), "path": "elsewhere/e.bin", "weights": "last"}}
    data["backend"] = {"here": {"kind": "local", "threads": 2}}
    data["volume"] = {"attic": {"kind": "folder", "path": "../attic", "sync": ["out/*"]}}
    return data


_keys = sorted({key for struct in (*TABLES.values(), WorkspaceSpec) for key in keys_of(struct)})
_scalars = st.one_of(
    st.sampled_from(["", "a", "b", "model.a", "0-9", "5%", "builtin:toy-stories", "**/*", "..", "/x", "hf://x", "\0"]),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.datetimes(),
    st.times(),
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
_entries = st.dictionaries(st.sampled_from(_keys) | st.text(max_size=8), _values, max_size=6)
_tables = st.dictionaries(st.sampled_from(["a", "b", "c"]) | st.text(max_size=8), _entries | _values, max_size=3)

junk = st.dictionaries(
    st.sampled_from(["workspace", *TABLES, "note"]) | st.text(max_size=8), _tables | _values | _entries, max_size=6
)
"""Anything that TOML can say, with a leaning towards what almost looks right."""

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@shared
@given(data=right_manifests(), multiline=st.booleans())
def test_what_is_written_is_what_is_loaded(data: dict[str, Any], multiline: bool, plugins: Plugins) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tinystories.toml"
        path.write_bytes(tomli_w.dumps(data, multiline_strings=multiline).encode())
        loaded = load(path, plugins=plugins)
    assert loaded.data == data
    assert loaded.manifest == load_data(data, plugins=plugins)
    for table in ("dataset", "tokenizer", "model", "run"):
        assert list(getattr(loaded.manifest, table)) == list(data[table])
    assert {name: run.model for name, run in loaded.manifest.run.items()} == {
        name: run["model"].removeprefix("model.") for name, run in data["run"].items()
    }


@shared
@given(data=right_manifests(), choice=st.randoms(use_true_random=False))
def test_a_slice_has_the_same_specs(data: dict[str, Any], choice: Any, plugins: Plugins) -> None:
    manifest = load_data(data, plugins=plugins)
    addresses = [
        f"{table}.{name}"
        for table in ("dataset", "tokenizer", "model", "run", "export")
        for name in data.get(table, ())
    ]
    wanted = choice.sample(addresses, choice.randint(1, len(addresses)))
    part = slice_manifest(data, manifest, wanted)
    again = load_data(part, plugins=plugins)
    for table in ("dataset", "tokenizer", "model", "run", "export", "backend", "volume"):
        whole = getattr(manifest, table)
        assert {name: whole[name] for name in getattr(again, table)} == getattr(again, table)
    declared = {f"{table}.{name}" for table in part for name in part[table]}
    assert set(wanted) <= declared
    assert slice_manifest(part, again, wanted) == part


@shared
@given(data=junk)
def test_junk_is_refused_with_a_report_and_nothing_else(data: dict[str, Any], plugins: Plugins) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tinystories.toml"
        path.write_bytes(tomli_w.dumps(data).encode())
        try:
            load(path, plugins=plugins)
        except ManifestError as error:
            first, *rest = error.message.split("\n")
            assert first.startswith("the manifest has ")
            assert rest
            assert all(line.startswith("  tinystories.toml") for line in rest)


@shared
@given(text=st.text() | st.binary())
def test_any_bytes_are_a_manifest_or_get_a_report(text: str | bytes, plugins: Plugins) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tinystories.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            load(path, plugins=plugins)
        except ManifestError as error:
            assert error.message.startswith("the manifest has ")


def test_the_schema_is_the_same_every_time(plugins: Plugins) -> None:
    assert json_schema(plugins) == json_schema(plugins)

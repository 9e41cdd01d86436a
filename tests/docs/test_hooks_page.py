"""Every hook has its section, and every example on the page works."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pluggy
import pytest

from tests.docs.console import Console
from tests.docs.pages import REPOSITORY, page
from tsws import Workspace
from tsws.io.entry_points import EntryPoint
from tsws.plugin import Plugins, hookspecs, load_plugins
from tsws.plugin.manager import collect

HOOKS = page("docs/hooks.md")
EXAMPLES = {block.title: block.text for block in HOOKS.blocks if block.title}
SPECIFIED = [name for name in vars(hookspecs) if name.startswith("tsws_")]
INTERFACES = ("Backend", "Volume", "Fetcher", "Architecture", "Exporter")


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path with the page's modules."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.syspath_prepend(str(REPOSITORY / "templates" / "plugin"))
    return folder


def provided_by(name: str) -> Plugins:
    """What tsws has with one of the page's examples as its only plugin of a stranger."""
    own = [EntryPoint(one.name, f"tsws_{one.name}", one.package, one.version) for one in load_plugins().loaded]
    return collect([*own, EntryPoint("example", name, "tsws-example", "1.0")])


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_every_hook_has_a_section_with_its_declaration() -> None:
    generated = [name for name, _ in HOOKS.generated()]
    assert [name for name in SPECIFIED if f"hook {name}" not in generated or name not in HOOKS.anchors] == []
    assert [name for name in INTERFACES if f"interface {name}" not in generated] == []


def test_every_hook_has_an_example(examples: Path) -> None:
    manager = pluggy.PluginManager("tsws")
    manager.add_hookspecs(hookspecs)
    for path in sorted(examples.glob("*.py")):
        if not path.name.startswith("test_"):
            manager.register(module(path), name=path.stem)
    manager.register(importlib.import_module("tsws_nice"))
    manager.check_pending()
    assert [name for name in SPECIFIED if not getattr(manager.hook, name).get_hookimpls()] == []


def test_the_first_example_is_a_plugin(tmp_path: Path, examples: Path) -> None:
    project = tomllib.loads(next(block.text for block in HOOKS.blocks if block.language == "toml"))["project"]
    metadata = examples / "tsws_diary-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["tsws"].items())
    (metadata / "entry_points.txt").write_text(f"[tsws]\n{points}")
    console = Console(tmp_path, PYTHONPATH=str(examples))
    console.play([block for block in HOOKS.blocks if block.language == "console"])


def test_the_example_backend_volume_fetcher_and_exporter_are_found(examples: Path) -> None:
    assert "nice" in provided_by("tsws_nice").backends
    assert "shelf" in provided_by("example_volume").volumes
    assert "card" in provided_by("example_exporter").exporters
    fetcher = provided_by("example_fetcher").fetcher_for("text:Once%20upon")
    with fetcher.open(fetcher.resolve("text:Once%20upon"), 5) as stream:
        assert (stream.offset, stream.total, b"".join(stream.chunks)) == (5, 9, b"upon")


def test_the_example_fetcher_and_table_work_in_a_manifest(examples: Path, tmp_path: Path) -> None:
    (tmp_path / "tinystories.toml").write_text('[dataset.one]\nsource = "text:Once%20upon"\n')
    report = Workspace.open(tmp_path, plugins=provided_by("example_fetcher")).apply(["dataset.one"])
    assert report.ok
    assert [path.read_text() for path in (tmp_path / "data" / "one").iterdir()] == ["Once upon"]
    (tmp_path / "tinystories.toml").write_text('[note.later]\ntext = "more data"\n')
    manifest = Workspace.open(tmp_path, plugins=provided_by("example_tables")).manifest
    assert manifest.plugin["note"]["later"].text == "more data"


def test_the_example_architecture_learns(examples: Path) -> None:
    import torch

    model = provided_by("example_architecture").architectures["bigram"]().build({"vocab_size": 5})
    tokens = torch.tensor([[1, 2, 3, 4]])
    logits, loss = model(tokens, tokens)
    assert logits.shape == (1, 4, 5)
    loss.backward()
    assert model(tokens)[1] is None


def test_the_example_exporter_writes_the_config(examples: Path, tmp_path: Path) -> None:
    exporter = provided_by("example_exporter").exporters["card"]()
    exporter.export(tmp_path / "weights", {"dim": 16}, tmp_path / "card.json", None)
    assert json.loads((tmp_path / "card.json").read_text()) == {"dim": 16}


def test_the_example_volume_passes_the_conformance_suite(examples: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", "test_shelf.py"]
    done = subprocess.run(command, cwd=examples, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]

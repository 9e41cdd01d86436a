"""Loading what is right: the reference manifest, the shipped workspaces, includes and overrides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tsws.errors import ManifestError
from tsws.manifest import Loaded, Location, MistakesError, Problem, load, load_data
from tsws.manifest.specs import BackendSpec, DatasetSpec, ExportSpec, ModelSpec, RunSpec, TokenizerSpec, VolumeSpec
from tsws.plugin import Plugins, load_plugins

EXAMPLE = Path(__file__).parent / "example.toml"

MODAL_IS_ABSENT = (
    'no plugin provides backend "modal", so its keys are not checked; `tsws plugins` lists what is there',
    'no plugin provides volume kind "modal", so its keys are not checked; `tsws plugins` lists what is there',
)


def load_text(folder: Path, text: str, plugins: Plugins, *overrides: str) -> Loaded:
    path = folder / "tinystories.toml"
    path.write_text(text)
    return load(path, overrides=overrides, plugins=plugins)


def test_the_reference_manifest_loads_as_it_is_written(plugins: Plugins) -> None:
    loaded = load(EXAMPLE, plugins=plugins)
    assert loaded.warnings == (
        f"example.toml:64: backend.modal.kind: {MODAL_IS_ABSENT[0]}",
        f"example.toml:70: volume.tinystories-volume.kind: {MODAL_IS_ABSENT[1]}",
    )
    manifest = loaded.manifest
    assert manifest.workspace.default == ["run.quickstart"]
    assert manifest.dataset["tok105"] == DatasetSpec(
        source="hf://datasets/enio/TinyStories/tok105/tok105.tar.gz",
        format="shards",
        tokenizer="tok105",
        train="0-9",
        val="45",
    )
    assert manifest.tokenizer["toy512"] == TokenizerSpec(train="toy", vocab_size=512)
    assert manifest.model["tiny"] == ModelSpec(dim=64, n_layers=5, n_heads=8, n_kv_heads=4, max_seq_len=256)
    assert manifest.run["baby"] == RunSpec(
        model="baby",
        dataset="tok105",
        batch_size=32,
        gradient_accumulation_steps=4,
        max_iters=500,
        eval_interval=100,
        seed=1337,
        backend="modal",
        volume="tinystories-volume",
        out="out",
    )
    assert manifest.backend["modal"] == BackendSpec(options={"gpu": "T4", "timeout": "1h", "max_cost": 5.0})
    assert manifest.volume["tinystories-volume"] == VolumeSpec(
        kind="modal", sync=["out/model.bin", "tok105.bin", "tok105.model"]
    )
    assert list(manifest.dataset) == ["toy", "tok105", "mine"]


def test_the_plugins_of_the_installation_know_all_of_it() -> None:
    assert load(EXAMPLE, plugins=load_plugins()).warnings == ()


UNLIKE_THE_EXAMPLE = {"max_iters": 400, "batch_size": 32, "eval_interval": None, "eval_tokens": 65536}
"""What the example says where the repository's quickstart has numbers that were tuned for a first story."""


def test_the_workspace_of_the_repository_has_both_runs(repository: Path, plugins: Plugins) -> None:
    loaded = load(repository / "tinystories.toml", plugins=plugins)
    example = load(EXAMPLE, plugins=plugins).manifest
    quick = loaded.manifest.run["quickstart"]
    assert msgspec.structs.replace(quick, **UNLIKE_THE_EXAMPLE) == example.run["quickstart"]
    assert loaded.manifest.run["baby"] == example.run["baby"]
    assert [warning.partition(".kind: ")[2] for warning in loaded.warnings] == list(MODAL_IS_ABSENT)
    assert loaded.manifest.workspace == example.workspace


@pytest.mark.parametrize("template", ["quickstart", "tinystories", "your-own-text"])
def test_templates_load_without_remarks(repository: Path, template: str, plugins: Plugins) -> None:
    folder = repository / "templates" / template
    assert load(folder / "tinystories.toml", plugins=plugins).warnings == ()
    assert {"tinystories.toml", "gitignore"} <= {path.name for path in folder.iterdir()}


def test_what_the_classic_template_comments_out_works_too(repository: Path, tmp_path: Path, plugins: Plugins) -> None:
    """The commented parts are to be copied by people: they have to be right."""
    text = (repository / "templates" / "tinystories" / "tinystories.toml").read_text()
    shown = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    tables = "\n".join(shown[shown.index("[backend.modal]") :])
    loaded = load_text(tmp_path, text + tables, plugins, "run.baby.backend=modal", "run.baby.volume=tinystories-volume")
    assert [warning.partition(".kind: ")[2] for warning in loaded.warnings] == list(MODAL_IS_ABSENT)
    loaded = load_text(tmp_path, text + tables, plugins, "run.baby.dataset=stories", "run.baby.tokenizer=tok4096")
    assert loaded.manifest.run["baby"].tokenizer == "tok4096"


def test_references_may_name_the_table(tmp_path: Path, plugins: Plugins) -> None:
    text = """
        [dataset.toy]
        source = "builtin:toy-stories"
        [tokenizer.toy512]
        train = "toy"
        vocab_size = 512
        [model."model.tiny"]
        [model.tiny]
        [backend.here]
        kind = "local"
        [volume.attic]
        kind = "folder"
        path = "attic"
        [run.one]
        model = "model.tiny"
        dataset = "dataset.toy"
        tokenizer = "tokenizer.toy512"
        backend = "backend.here"
        volume = "volume.attic"
        [run.two]
        model = "model.model.tiny"
        dataset = "toy"
        tokenizer = "toy512"
        backend = "backend.local"
        [export.three]
        run = "run.two"
        path = "three.bin"
    """
    manifest = load_text(tmp_path, text, plugins).manifest
    assert manifest.run == {
        "one": RunSpec(model="model.tiny", dataset="toy", tokenizer="toy512", backend="here", volume="attic"),
        "two": RunSpec(model="model.tiny", dataset="toy", tokenizer="toy512", backend="local"),
    }
    assert manifest.export == {"three": ExportSpec(run="two", path="three.bin")}


def test_the_including_file_wins_table_by_table(tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "sizes.toml").write_text("[model.tiny]\ndim = 32\nn_heads = 4\nn_layers = 2\n")
    (tmp_path / "parts" / "more.toml").write_text(
        '[workspace]\nname = "more"\ninclude = ["sizes.toml"]\n[model.tiny]\nn_layers = 3\n[model.other]\ndim = 48\n'
    )
    (tmp_path / "parts" / "last.toml").write_text("[model.other]\nn_layers = 9\n[model.tiny]\nn_heads = 2\n")
    text = '[workspace]\ninclude = ["parts/more.toml", "parts/last.toml"]\n[model.tiny]\ndim = 64\n'
    loaded = load_text(tmp_path, text, plugins)
    assert loaded.data == {
        "workspace": {"name": "more", "include": ["parts/more.toml", "parts/last.toml"]},
        "model": {"tiny": {"dim": 64, "n_heads": 2, "n_layers": 3}, "other": {"dim": 48, "n_layers": 9}},
    }
    assert loaded.manifest.model == {
        "tiny": ModelSpec(dim=64, n_heads=2, n_layers=3),
        "other": ModelSpec(dim=48, n_layers=9),
    }


def test_a_file_may_be_included_by_two_others(tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "base.toml").write_text("[model.tiny]\ndim = 48\n")
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(f'[workspace]\ninclude = ["base.toml"]\n[model.{name}]\n')
    loaded = load_text(tmp_path, '[workspace]\ninclude = ["one.toml", "two.toml"]\n', plugins)
    assert loaded.manifest.model == {"tiny": ModelSpec(dim=48), "one": ModelSpec(), "two": ModelSpec()}


def test_an_include_that_no_disk_can_hold_is_a_mistake_like_any(tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    with pytest.raises(ManifestError) as caught:
        load_text(tmp_path, f'[workspace]\ninclude = ["{"x" * 5000}", "loop.toml"]\n', plugins)
    assert caught.value.message == (
        "the manifest has 2 mistakes:\n"
        f'  tinystories.toml:2: workspace.include[0]: there is no file "{"x" * 40}..." to include\n'
        '  tinystories.toml:2: workspace.include[1]: there is no file "loop.toml" to include'
    )


def test_a_missing_manifest_is_said_with_what_to_do(tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(ManifestError) as caught:
        load(tmp_path / "tinystories.toml", plugins=plugins)
    assert caught.value.message == f"there is no tinystories.toml in {tmp_path}"
    assert caught.value.hint == "`tsws init` writes one"


def test_a_manifest_that_can_not_be_read_is_said_with_what_to_do(tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ManifestError) as caught:
        load(tmp_path / "file" / "tinystories.toml", plugins=plugins)
    assert caught.value.message == f"{tmp_path}/file/tinystories.toml can not be read: Not a directory"
    assert caught.value.hint == "check that it is a file, in a folder that you may read"


def test_mistakes_are_values_too(tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(MistakesError) as caught:
        load_text(tmp_path, "[model.tiny]\ndim = 0\n", plugins)
    assert caught.value.problems == (
        Problem(
            ("model", "tiny", "dim"),
            "expected a whole number of at least 1, found 0",
            Location("tinystories.toml", 2),
        ),
    )


def test_data_without_a_file_has_reports_without_places(plugins: Plugins) -> None:
    assert load_data({"model": {"tiny": {"dim": 48}}}, plugins=plugins).model == {"tiny": ModelSpec(dim=48)}
    with pytest.raises(ManifestError) as caught:
        load_data({"model": {"tiny": {"dim": 0, "n_layers": None}}}, plugins=plugins)
    assert caught.value.message == (
        "the manifest has 2 mistakes:\n"
        "  model.tiny.dim: expected a whole number of at least 1, found 0\n"
        "  model.tiny.n_layers: expected a whole number of at least 1, found nothing"
    )


def test_plugins_that_are_absent_are_remarks_and_their_keys_stay(tmp_path: Path) -> None:
    text = """
        [model.tiny]
        arch = "mamba"
        options = { state = 16 }
        [dataset.toy]
        source = "builtin:toy-stories"
        [tokenizer.toy512]
        train = "toy"
        vocab_size = 512
        [run.one]
        model = "tiny"
        dataset = "toy"
        tokenizer = "toy512"
        backend = "locl"
        [export.one]
        run = "one"
        format = "gguf"
        path = "one.gguf"
        options = { bits = 4 }
        [tokenizer.far]
        source = "htps://example.org/far.model"
        [tokenizer.near]
        source = "C:/near.model"
    """
    loaded = load_text(tmp_path, text, Plugins(backends={"local": object}, fetchers={"https": object}))  # type: ignore[dict-item]
    absent = "so its keys are not checked; `tsws plugins` lists what is there"
    assert loaded.warnings == (
        f'tinystories.toml:3: model.tiny.arch: no plugin provides architecture "mamba", {absent}',
        'tinystories.toml:14: run.one.backend: no plugin provides backend "locl"; did you mean `local`?',
        f'tinystories.toml:17: export.one.format: no plugin provides export format "gguf", {absent}',
        'tinystories.toml:21: tokenizer.far.source: no plugin can fetch "htps"; did you mean `https`?',
    )
    assert loaded.manifest.model["tiny"].options == {"state": 16}
    assert loaded.manifest.export["one"].options == {"bits": 4}


def test_tables_of_plugins_become_their_structs(tmp_path: Path, plugins: Plugins) -> None:
    manifest = load_text(tmp_path, '[note.hello]\ntext = "hello"\n', plugins).manifest
    note = plugins.tables["note"]
    assert manifest.plugin == {"note": {"hello": note(text="hello")}}


def test_loading_is_light() -> None:
    code = (
        "import sys, tsws.manifest, tsws.manifest.schema;"
        "print(sorted({'torch', 'numpy', 'rich', 'httpx', 'sentencepiece', 'jsonschema'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

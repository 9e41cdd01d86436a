"""``tsws export``: a run's weights or a file, in another format."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.conftest import Project
from tsws.model.llama2c_header import read_header


def form(path: Path) -> tuple[int, int]:
    """Version and group size of a model file."""
    header = read_header(path)
    return header.version, header.group_size


def test_a_run_becomes_int8(applied: Project) -> None:
    out = applied.root / "int8.bin"
    result = applied.run("export", "tiny", str(out), "--version", "2")
    assert (result.status, result.out, result.err) == (0, f"{out}: 17 kB\n", "")
    assert form(out) == (2, 16)


def test_best_and_last_weights_can_be_had(applied: Project) -> None:
    applied.run("export", "run.tiny", str(applied.root / "best.bin"))
    applied.run("export", "run.tiny", str(applied.root / "last.safetensors"), "--weights", "last")
    assert (applied.root / "best.bin").read_bytes() == (applied.root / "out/tiny/model.bin").read_bytes()
    version = next((applied.root / ".tsws/runs/tiny").iterdir())
    assert (applied.root / "last.safetensors").read_bytes() == (version / "last.safetensors").read_bytes()


def test_a_file_needs_no_workspace(applied: Project, project) -> None:
    nowhere = Project(project().root / "nowhere")
    nowhere.root.mkdir()
    model, weights, again = (nowhere.root / name for name in ("v2.bin", "weights.safetensors", "v0.bin"))
    source = applied.root / "out/tiny/model.bin"
    assert nowhere.run("export", str(source), str(model), "--version", "2", "--group-size", "8").status == 0
    assert form(model) == (2, 8)
    assert nowhere.run("export", str(source), str(weights)).status == 0
    assert nowhere.run("export", str(weights), str(again)).status == 0
    assert again.read_bytes() == source.read_bytes()
    assert nowhere.run("export", str(model), str(again), "--force").status == 0
    assert form(again) == (0, 0)
    assert again.read_bytes() != source.read_bytes()
    assert sorted(path.name for path in nowhere.root.iterdir()) == ["v0.bin", "v2.bin", "weights.safetensors"]


def test_what_is_there_stays_unless_forced(applied: Project) -> None:
    out = applied.root / "out/tiny/model.bin"
    before = out.read_bytes()
    result = applied.run("export", "tiny", str(out), "--version", "2")
    assert (result.status, result.err) == (
        2,
        f"error: {out} exists already\nhint: choose another name, or replace it with --force\n",
    )
    assert out.read_bytes() == before
    assert applied.run("export", str(out), str(out), "--version", "2", "--force").status == 0
    assert form(out) == (2, 16)


def test_mistakes_say_what_to_do(applied: Project) -> None:
    root = applied.root
    shutil.copy(root / "tinystories.toml", root / "torn.bin")
    cases = {
        ("tiny", "x.bin", "--version", "2", "--group-size", "5"): (
            1,
            "error: a group size of 5 does not divide dim = 16\nhint: leave it out, or choose 16\n",
        ),
        ("tiny", "x.bin", "--group-size", "8"): (
            1,
            "error: version 0 of llama2.c's format has no groups, but a group size of 8 was asked for\n"
            "hint: leave the group size out, or export version 2\n",
        ),
        ("tiny", "x.safetensors", "--version", "2"): (
            2,
            "error: the format safetensors does not take that: Object contains unknown field `version`\n"
            "hint: its options: none\n",
        ),
        ("tiny", "x.gguf"): (
            2,
            "error: no format is known for a file named x.gguf\n"
            "hint: end its name with one of .bin (llama2c), .safetensors (safetensors); or name the format: --format\n",
        ),
        ("tiny", "x.bin", "--format", "gguf"): (
            2,
            "error: no plugin provides the export format 'gguf'\nhint: known formats: llama2c, safetensors\n",
        ),
        ("nothing.bin", "x.bin"): (
            2,
            "error: there is no file nothing.bin\nhint: name a model file, or a run of the manifest\n",
        ),
    }
    for arguments, expected in cases.items():
        result = applied.run("export", *arguments)
        assert (result.status, result.err) == expected
    torn = applied.run("export", str(root / "torn.bin"), "x.bin")
    assert torn.status == 1
    assert torn.err.startswith(f"error: {root}/torn.bin: not a llama2.c model: ")
    assert not Path("x.bin").exists()


def test_a_run_without_weights_says_what_trains_it(project) -> None:
    result = project().run("export", "tiny", "x.bin")
    assert (result.status, result.err) == (
        1,
        "error: run.tiny has no weights in this workspace\n"
        "hint: `tsws apply run.tiny` trains it; or name a model file\n",
    )


def test_an_export_of_the_manifest_can_be_int8(applied: Project) -> None:
    manifest = applied.root / "tinystories.toml"
    small = '\n[export.small]\nrun = "tiny"\npath = "tiny8.bin"\noptions = { version = 2, group_size = 8 }\n'
    manifest.write_text(manifest.read_text() + small)
    assert applied.run("apply", "export.small", "-y").status == 0
    assert form(applied.root / "tiny8.bin") == (2, 8)
    manifest.write_text(manifest.read_text().replace("version = 2", "version = 3"))
    assert "version" in applied.run("validate").err + applied.run("validate").out

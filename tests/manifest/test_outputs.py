"""Where the files of each entry lie."""

from __future__ import annotations

from pathlib import PurePosixPath as P

import pytest

from tsws.manifest import Manifest
from tsws.manifest import outputs as where
from tsws.manifest.specs import DatasetSpec, ExportSpec, ModelSpec, ProgramSpec, RunSpec, TokenizerSpec

TEXT = DatasetSpec(source="x.txt")
SHARDS = DatasetSpec(source="x.tar.gz", format="shards", tokenizer="tok105")
RUN = RunSpec(model="tiny", dataset="toy")


def test_defaults() -> None:
    assert where.dataset_folder("toy", TEXT) == P("data/toy")
    assert where.dataset_folder("tok105", SHARDS) == P("tok105")
    assert where.tokens_folder("toy", TEXT, "toy512") == P("data/toy/toy512")
    assert where.tokens_folder("tok105", SHARDS, "tok105") == P("tok105")
    paths = where.tokenizer_paths("tok105", TokenizerSpec(source="x"))
    assert paths == where.TokenizerPaths(P("tok105.model"), P("tok105.vocab"), P("tok105.bin"))
    assert where.model_path("stories260K", ModelSpec(source="x")) == P("stories260K.bin")
    assert where.run_out("baby", RUN) == P("out/baby")
    assert where.program_paths("run", ProgramSpec()) == where.ProgramPaths(P("run"), P("run.c"))


def test_stated_paths_win() -> None:
    assert where.dataset_folder("toy", DatasetSpec(source="x", path="corpora/toy/")) == P("corpora/toy")
    paths = where.tokenizer_paths("t", TokenizerSpec(source="x", path="./toks/a.b.model"))
    assert paths == where.TokenizerPaths(P("toks/a.b.model"), P("toks/a.b.vocab"), P("toks/a.b.bin"))
    paths = where.tokenizer_paths("t", TokenizerSpec(source="x", path="toks/v1.5"))
    assert paths == where.TokenizerPaths(P("toks/v1.5"), P("toks/v1.5.vocab"), P("toks/v1.5.bin"))
    assert where.model_path("m", ModelSpec(source="x", path="models/m.bin")) == P("models/m.bin")
    assert where.run_out("baby", RunSpec(model="m", dataset="d", out="out")) == P("out")
    program = where.program_paths("run", ProgramSpec(path="bin/tell"))
    assert program == where.ProgramPaths(P("bin/tell"), P("bin/tell.c"))


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (ExportSpec(run="baby"), "out/baby/model.bin"),
        (ExportSpec(run="baby", path="models/baby.bin"), "models/baby.bin"),
    ],
)
def test_an_export_lies_with_its_run(spec: ExportSpec, path: str) -> None:
    manifest = Manifest(run={"baby": RUN})
    assert where.export_path("any", spec, manifest, ".bin") == P(path)


def test_every_run_implies_an_export_and_whatever_plays_a_program() -> None:
    declared = ExportSpec(run="one", weights="last")
    manifest = Manifest(run={"one": RUN, "two": RUN}, export={"one": declared, "three": ExportSpec(run="two")})
    assert where.all_exports(manifest) == {
        "two": ExportSpec(run="two"),
        "one": declared,
        "three": ExportSpec(run="two"),
    }
    assert where.all_programs(manifest) == {"run": ProgramSpec()}
    assert where.all_programs(Manifest()) == {}
    own = {"tell": ProgramSpec(flags=["-g"])}
    assert where.all_programs(Manifest(run={"one": RUN}, program=own)) == own

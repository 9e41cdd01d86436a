"""Which model is played, and what is said when there is none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tsws import Workspace
from tsws.errors import TswsError, UsageError

PRETRAINED = '\n[model.finished]\nsource = "given/model.bin"\ntokenizer = "words"\n'


def refusal(root: Path, **options: Any) -> tuple[type[TswsError], str, str | None]:
    with pytest.raises(TswsError) as raised:
        "".join(Workspace.open(root).generate("The", **options))
    return type(raised.value), raised.value.message, raised.value.hint


def told(root: Path, **options: Any) -> str:
    return "".join(Workspace.open(root).generate("The", seed=7, steps=16, **options))


def test_the_default_runs_model_is_played_by_any_name(root: Path) -> None:
    story = told(root)
    assert story.startswith("The")
    assert story == told(root, run="small") == told(root, run="run.small")
    assert story == told(root, model=root / "out/small/model.bin")
    assert story == told(root, model=root / "out/small/model.bin", tokenizer=root / "words.bin")
    assert told(root, temperature=0.0) == told(root, temperature=0.0, engine="torch")


def test_a_finished_model_of_the_manifest_is_played(root: Path) -> None:
    (root / "given").mkdir()
    shutil.copy(root / "out/small/model.bin", root / "given/model.bin")
    with open(root / "tinystories.toml", "a") as file:
        file.write(PRETRAINED)
    kind, message, hint = refusal(root, model="finished")
    assert (kind, message) == (TswsError, f"model.finished can not be played: {root}/finished.bin does not exist")
    assert hint == "`tsws apply model.finished` makes it"
    assert Workspace.open(root).apply(["model.finished"]).ok
    assert told(root, model="finished") == told(root) == told(root, model="model.finished")


def test_what_is_not_there_yet_is_named_with_what_makes_it(root: Path) -> None:
    (root / "run").unlink()
    assert refusal(root) == (
        TswsError,
        "the native program run is not built yet",
        "`tsws apply program.run` builds it; `--engine torch` does without",
    )
    (root / "out/small/model.bin").unlink()
    assert refusal(root) == (
        TswsError,
        f"run.small can not be played: {root}/out/small/model.bin does not exist",
        "`tsws apply run.small` makes it",
    )


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"run": "small", "model": "m"}, "--run and --model exclude each other", "name one of them"),
        (
            {"model": "small"},
            "model.small is an architecture, not a finished model",
            "`--run NAME` plays what a run has trained",
        ),
        (
            {"model": "none.bin"},
            "there is no model file none.bin",
            "name the path of a model.bin; `--run NAME` plays what a run has trained",
        ),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(root: Path, options: dict[str, Any], message: str, hint: str) -> None:
    assert refusal(root, **options) == (UsageError, message, hint)


def test_an_unknown_run_is_refused_with_the_nearest(root: Path) -> None:
    _, message, hint = refusal(root, run="smal")
    assert (message, hint) == ("there is no resource 'run.smal'", "did you mean run.small?")


def test_a_manifest_with_nothing_to_play_says_so(tmp_path: Path) -> None:
    (tmp_path / "tinystories.toml").write_text('[dataset.toy]\nsource = "builtin:toy-stories"\n')
    assert refusal(tmp_path) == (
        UsageError,
        "the manifest has no run",
        "`--model NAME` or `--model FILE` plays a finished model",
    )


def test_a_model_without_a_fitting_tokenizer_is_refused(root: Path, tmp_path: Path) -> None:
    model = Path(shutil.copy(root / "out/small/model.bin", tmp_path / "model.bin"))
    (root / "words.bin").unlink()
    assert refusal(root, model=model) == (
        UsageError,
        "no tokenizer with 340 pieces lies beside model.bin or in the workspace".replace("model.bin", str(model)),
        "name one: --tokenizer FILE.bin",
    )


THEIRS = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
    for (int i = 2; i < argc; i += 2) {
        if (strlen(argv[i]) != 2 || strchr("tpsnizmy", argv[i][1]) == NULL) { return 1; }
    }
    puts("a story of theirs");
    return 0;
}
"""


@pytest.fixture
def theirs(root: Path) -> Path:
    """A workspace whose program is somebody's own, which knows llama2.c's options alone."""
    (root / "given.c").write_text(THEIRS)
    with open(root / "tinystories.toml", "a") as file:
        file.write('\n[program.theirs]\nsource = "given.c"\n')
    assert Workspace.open(root).apply(["program.theirs"]).ok
    return root


def test_somebodys_own_program_gets_no_option_that_it_does_not_know(theirs: Path) -> None:
    workspace = Workspace.open(theirs)
    assert "".join(workspace.generate("The", seed=1, pretty=True)) == "a story of theirs"
    stories = list(workspace.stories("The", count=2, seed=1, pretty=True))
    assert [(story.text, story.seed) for story in stories] == [("a story of theirs", 1), ("a story of theirs", 2)]
    hint = 'leave it out, or play with the program of source = "native"'
    what = "program.theirs, which is made from given.c,"
    assert refusal(theirs, threads=2) == (UsageError, f"{what} can not be told the threads", hint)
    assert refusal(theirs, precision="int8") == (UsageError, f"{what} can not be told the precision", hint)
    with pytest.raises(UsageError) as raised:
        "".join(workspace.generate("a" * 200_000))
    assert raised.value.message == f"{what} takes no prompt of this length, or with a NUL in it"


def test_stories_are_told_side_by_side_as_they_are_alone(root: Path) -> None:
    workspace = Workspace.open(root)
    told = list(workspace.stories("The", count=3, seed=0, steps=16))
    assert [story.seed for story in told][1:] == [1, 2]
    alone = ["".join(workspace.generate("The", seed=seed, steps=16)) for seed in range(3)]
    assert [story.text for story in told] == alone


def test_a_model_can_be_opened_in_this_process(root: Path) -> None:
    workspace = Workspace.open(root)
    with workspace.model(run="small") as model:
        assert "".join(model.generate("The", seed=7, steps=16)) == told(root)
        assert model.score("The").shape == (len(model.encode("The")) - 1,)
    with workspace.model(root / "out/small/model.bin", precision="int8") as model:
        assert model.info.precision == "int8"

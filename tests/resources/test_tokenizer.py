"""Tokenizers and finished models: given or trained, in place or elsewhere; and the shards that tokens make."""

from __future__ import annotations

import shutil
from array import array
from pathlib import Path

import pytest

from tests.resources.conftest import Place
from tsws.io.digest import sha256_file
from tsws.reconcile.action import Change
from tsws.text.toy_stories import story

STORIES = [story(3, index).text for index in range(60)]


def lines(stories: list[str]) -> str:
    return "".join(f"{one}\n<|endoftext|>\n" for one in stories)


@pytest.fixture
def tok105(place: Place, real_data: Path) -> Path:
    """A person's tokenizer in the workspace."""
    (place.root / "given").mkdir()
    return Path(shutil.copy(real_data / "tok105" / "tok105.model", place.root / "given" / "tok105.model"))


def test_a_tokenizer_that_is_given_elsewhere_is_copied(place: Place, tok105: Path, real_data: Path) -> None:
    place.manifest('[tokenizer.tok]\nsource = "given/tok105.model"\n')
    place.make("tokenizer.tok")
    assert sha256_file(place.root / "tok.model") == sha256_file(tok105)
    assert sha256_file(place.root / "tok.bin") == sha256_file(real_data / "tok105" / "tok105.bin")
    assert sha256_file(place.root / "tok.vocab") == sha256_file(real_data / "tok105" / "tok105.vocab")
    assert all(output.owned for output in place.record("tokenizer.tok").outputs)
    assert place.record("tokenizer.tok").notes == {"vocab_size": 105}


@pytest.mark.parametrize("scheme", ["", "file:"])
def test_a_tokenizer_that_is_given_in_place_stays_a_persons_own(place: Place, tok105: Path, scheme: str) -> None:
    place.manifest(f'[tokenizer.tok105]\nsource = "{scheme}given/tok105.model"\npath = "given/tok105.model"\n')
    place.make("tokenizer.tok105")
    owned = {output.path: output.owned for output in place.record("tokenizer.tok105").outputs}
    assert owned == {"given/tok105.model": False, "given/tok105.vocab": True, "given/tok105.bin": True}
    place.manifest("")
    place.open().gc()
    assert [path.name for path in (place.root / "given").iterdir()] == ["tok105.model"]


def test_what_is_no_tokenizer_is_refused(place: Place) -> None:
    place.write("given/words.model", b"no protobuf")
    place.manifest('[tokenizer.tok]\nsource = "given/words.model"\n')
    error = place.failure("tokenizer.tok")
    assert "words.model is not a sentencepiece model" in error.message
    assert error.hint
    assert not (place.root / "tok.model").exists()


def test_several_models_for_one_tokenizer_are_refused(place: Place, tok105: Path) -> None:
    shutil.copy(tok105, tok105.with_name("other.model"))
    place.manifest('[tokenizer.tok]\nsource = "given/*.model"\n')
    error = place.failure("tokenizer.tok")
    assert error.message == "tokenizer.tok: given/*.model names 2 files, expected one"


def test_a_tokenizer_learns_from_training_stories_alone(place: Place) -> None:
    place.write("stories.txt", lines(STORIES))
    place.write("valid.txt", lines(["Żółw."]))
    manifest = '[dataset.d]\nsource = "stories.txt"\n%s[tokenizer.t]\ntrain = "d"\nvocab_size = 320\n'
    place.manifest(manifest % "")
    place.make("tokenizer.t")
    split = (place.root / "t.vocab").read_bytes()
    place.manifest(manifest % 'val_source = "valid.txt"\n')
    assert place.open().plan(["tokenizer.t"])["tokenizer.t"].change is Change.PENDING
    place.make("tokenizer.t")
    assert (place.root / "t.vocab").read_bytes() != split, "all of the stories are for training now"
    assert "ółw" not in (place.root / "t.vocab").read_text()


def shards(place: Place, tokenizer: str) -> dict[str, int]:
    """How many stories each shard has."""
    found = {}
    for path in sorted((place.root / "data" / "d" / tokenizer).iterdir()):
        tokens = array("H")
        tokens.frombytes(path.read_bytes())
        found[path.name] = tokens.count(1)
    return found


RUN = (
    '[tokenizer.t]\nsource = "given/tok105.model"\n[model.m]\ndim = 8\nn_heads = 1\nmax_seq_len = 16\n'
    '[run.r]\nmodel = "m"\ndataset = "d"\ntokenizer = "t"\n[dataset.d]\nsource = "stories.txt"\n'
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", {"data00.bin": 3, "data01.bin": 57}),
        ('val = "10%"\n', {"data00.bin": 6, "data01.bin": 54}),
        ('val = "0.5%"\n', {"data00.bin": 1, "data01.bin": 59}),
        ('val_source = "valid.txt"\n', {"data00.bin": 2, "data01.bin": 60}),
    ],
)
def test_the_validation_stories_are_set_aside(place: Place, tok105: Path, key: str, expected: dict[str, int]) -> None:
    place.write("stories.txt", lines(STORIES))
    place.write("valid.txt", lines(["One day.", "Two days."]))
    place.manifest(RUN + key)
    place.make("tokens.d.t")
    assert shards(place, "t") == expected


def test_a_finished_model_is_copied_and_checked(place: Place, tok105: Path, real_data: Path) -> None:
    shutil.copy(real_data / "tok105" / "model5000.bin", place.root / "given" / "m.bin")
    place.manifest('[tokenizer.t]\nsource = "given/tok105.model"\n[model.m]\nsource = "given/m.bin"\ntokenizer = "t"\n')
    place.make("model.m")
    assert sha256_file(place.root / "m.bin") == sha256_file(place.root / "given" / "m.bin")
    config = place.record("model.m").notes["config"]
    assert (config["dim"], config["n_layers"], config["vocab_size"], config["max_seq_len"]) == (128, 5, 105, 256)
    place.write("given/m.bin", b"no model")
    assert place.failure("model.m").hint
    assert (place.root / "m.bin").stat().st_size > 1000, "what stood there stays"

"""Datasets: texts and shards, from files, archives and the web."""

from __future__ import annotations

import json
from array import array

import pytest

from tests.fixtures.hub import HubServer
from tests.resources.conftest import PACKED, Place, gz, tar_gz
from tsws.reconcile.action import Change

A, B = b"A cat sat.\n<|endoftext|>\nA dog ran.\n", b"A sun shone.\n<|endoftext|>\nA bee hummed.\n"
SHARDS = '[tokenizer.words]\nsource = "given/words.model"\n[dataset.s]\nformat = "shards"\ntokenizer = "words"\nsource = %s\n'


def shard(*stories: int) -> bytes:
    """Stories of one token each, as llama2.c has them."""
    return array("H", [token for story in stories for token in (1, story)]).tobytes()


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("fetched", [True, False])
def test_texts_in_nested_folders_of_an_archive_are_found(
    place: Place, hub: HubServer, suffix: str, fetched: bool
) -> None:
    data = PACKED[suffix]({"b/deep/x.txt": B, "a/x.TXT": A, "a/readme.md": b"Read me."})
    source = hub.add(f"some{suffix}", data) if fetched else place.write(f"some{suffix}", data).name
    place.manifest(f'[dataset.some]\nsource = "{source}"\n')
    place.make("dataset.some")
    assert place.files("dataset.some") == {
        "train/0000": ("data/some/train-0000-x.TXT", A),
        "train/0001": ("data/some/train-0001-x.txt", B),
    }
    assert not list((place.root / ".tsws" / "work").glob("*/*")), "what was unpacked is moved, not left"


def test_archives_of_one_name_stay_apart(place: Place) -> None:
    place.write("a/x.zip", PACKED[".zip"]({"x.txt": A}))
    place.write("b/x.zip", PACKED[".zip"]({"x.txt": B}))
    place.manifest('[dataset.some]\nsource = ["a/x.zip", "b/x.zip"]\n[dataset.same]\nsource = "?/x.zip"\n')
    place.make("dataset.some", "dataset.same")
    for name in ("some", "same"):
        assert [content for _, content in place.files(f"dataset.{name}").values()] == [A, B]


def test_a_packed_text_is_read_as_it_is(place: Place) -> None:
    place.write("x.txt.gz", gz(A))
    place.manifest('[dataset.some]\nsource = "x.txt.gz"\n')
    place.make("dataset.some")
    assert place.files("dataset.some") == {"train/0000": ("x.txt.gz", gz(A))}


def test_json_in_an_archive_is_found(place: Place) -> None:
    data = json.dumps([{"story": "A cat sat."}]).encode()
    place.write("all.tar.gz", tar_gz({"x/data00.json": data, "x/note.txt": b"no story"}))
    place.manifest('[dataset.some]\nsource = "all.tar.gz"\nformat = "json"\n')
    place.make("dataset.some")
    assert place.files("dataset.some") == {"train/0000": ("data/some/train-0000-data00.json", data)}


@pytest.mark.parametrize("members", [{}, {"readme.md": b"Read me."}, {"data00.json": b"[]"}])
def test_an_archive_without_stories_is_refused(place: Place, hub: HubServer, members: dict[str, bytes]) -> None:
    url = hub.add("some.tar.gz", tar_gz(members))
    place.manifest(f'[dataset.some]\nsource = "{url}"\n')
    error = place.failure("dataset.some")
    assert error.message == "dataset.some: some.tar.gz holds no .txt or .txt.gz file"
    assert error.hint == "set `format`, or name another source"


def test_a_source_that_matches_nothing_blocks(place: Place) -> None:
    place.manifest('[dataset.some]\nsource = "stories/*.txt"\n')
    action = place.open().plan(["dataset.some"])["dataset.some"]
    assert (action.change, action.reason) == (Change.BLOCKED, "no file matches stories/*.txt")
    assert place.failure("dataset.some").hint == "put the file there, or correct `source` in the manifest"


@pytest.mark.parametrize("source", ["shards/", "shards/*.bin", "file:shards/data*.bin"])
def test_shards_of_a_person_stay_where_they_are(place: Place, source: str) -> None:
    place.write("shards/data00.bin", shard(5))
    place.write("shards/data01.bin", shard(6))
    place.manifest(SHARDS % f'"{source}"')
    place.make("dataset.s")
    assert place.files("dataset.s") == {
        "data00.bin": ("shards/data00.bin", shard(5)),
        "data01.bin": ("shards/data01.bin", shard(6)),
    }
    assert not any(output.owned for output in place.record("dataset.s").outputs)


def test_shards_come_out_of_an_archive_and_nothing_else_does(place: Place) -> None:
    files = {
        "tok/data00.bin": shard(5),
        "tok/data01.bin": shard(6),
        "tok512.bin": b"odd",
        "tok/readme.txt": b"Read me.",
    }
    place.write("tok.tar.gz", tar_gz(files))
    place.write("data02.bin.gz", gz(shard(7)))
    place.manifest(SHARDS % '["tok.tar.gz", "data02.bin.gz"]')
    place.make("dataset.s")
    assert place.files("dataset.s") == {
        "data00.bin": ("s/data00.bin", shard(5)),
        "data01.bin": ("s/data01.bin", shard(6)),
        "data02.bin": ("s/data02.bin", shard(7)),
    }


def test_two_shards_of_one_number_are_refused(place: Place) -> None:
    place.write("tok.tar.gz", tar_gz({"a/data00.bin": shard(5), "b/data0.bin": shard(6)}))
    place.manifest(SHARDS % '"tok.tar.gz"')
    error = place.failure("dataset.s")
    assert error.message == "dataset.s: there are two shards 0: tok.tar.gz/a/data00.bin and tok.tar.gz/b/data0.bin"


def test_a_source_without_shards_is_refused(place: Place) -> None:
    place.write("tok.tar.gz", tar_gz({}))
    place.manifest(SHARDS % '"tok.tar.gz"')
    assert place.failure("dataset.s").message == "dataset.s: there are no shards (data00.bin, ...) in tok.tar.gz"


def test_a_shard_that_is_none_is_named(place: Place) -> None:
    place.write("data00.bin", b"odd")
    place.manifest(SHARDS % '"data00.bin"')
    assert "data00.bin is not a shard of uint16 tokens: it has 3 bytes" in place.failure("dataset.s").message


def test_a_fetched_text_comes_back_after_clean(place: Place, hub: HubServer) -> None:
    url = hub.add("x.txt", A)
    place.manifest(f'[dataset.one]\nsource = "{url}"\n[tokenizer.words]\ntrain = "one"\nvocab_size = 280\n')
    place.make("dataset.one")
    place.open().clean()
    assert not (place.root / "data").exists()
    assert place.open().plan(["tokenizer.words"])["dataset.one"].change is Change.REPAIR, "training needs it"
    place.make("dataset.one")
    assert place.files("dataset.one") == {"train/0000": ("data/one/train-0000-x.txt", A)}
    assert len(hub.gets("x.txt")) == 2

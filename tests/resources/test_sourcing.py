"""Addresses and paths: which is which, and what they are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.hub import HubServer
from tests.resources.conftest import Place
from tsws.errors import VerifyError
from tsws.fetch import LockFile
from tsws.io.digest import sha256_bytes
from tsws.manifest import sources
from tsws.resources.sourcing import file_name, is_uri, own_files, own_path

A, B = b"A cat sat.\n<|endoftext|>\nA dog ran.\n", b"A sun shone.\n<|endoftext|>\nA bee hummed.\n"


@pytest.mark.parametrize(
    "source", ["https://example.org/x", "hf://a/b/c", "s3+x://b/k", "builtin:toy-stories", "HTTP://x"]
)
def test_what_has_a_scheme_is_fetched(source: str) -> None:
    assert is_uri(source)
    assert own_files(source) == ()


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("stories.txt", "stories.txt"),
        ("stories/*.txt", "stories/*.txt"),
        ("/data/stories.txt", "/data/stories.txt"),
        ("C:/stories.txt", "C:/stories.txt"),
        ("a folder/b:c.txt", "a folder/b:c.txt"),
        ("stories/", "stories/*"),
        ("file:stories.txt", "stories.txt"),
        ("file:my%20stories.txt", "my stories.txt"),
        ("file:/data/stories.txt", "/data/stories.txt"),
        ("file:///data/stories.txt", "/data/stories.txt"),
        ("file://localhost/data/stories.txt", "/data/stories.txt"),
        ("FILE:stories/*.txt", "stories/*.txt"),
        ("file:stories/", "stories/*"),
        ("50%.txt", "50%.txt"),
    ],
)
def test_what_has_none_and_what_says_file_is_a_path(source: str, path: str) -> None:
    assert not is_uri(source)
    assert own_path(source) == path
    assert own_files([source]) == (path,)


@given(st.text(min_size=1))
@example("file:")
@example("x.y:z")
def test_the_manifest_and_the_work_agree_on_what_is_a_path(source: str) -> None:
    assert is_uri(source) == (sources.scheme(source) not in {None, "file"})
    assert bool(own_files(source)) == (not is_uri(source))


@given(st.text() | st.builds("https://{}/{}?{}#{}".format, st.text(), st.text(), st.text(), st.text()))
@example("https://[bad/x")
@example("https://example.org/..")
@example("https://example.org/" + "x" * 999 + ".tar.gz")
def test_every_address_gives_a_name_for_a_file(uri: str) -> None:
    name = file_name(uri)
    assert name.isascii()
    assert 0 < len(name) <= 100
    assert name not in {".", ".."}
    assert os.sep not in name
    assert not name.startswith(".")


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://example.org/a/stories.txt.gz?download=1#top", "stories.txt.gz"),
        ("hf://datasets/enio/TinyStories/tok105/tok105.tar.gz", "tok105.tar.gz"),
        ("https://example.org/my%20stories.txt", "my_stories.txt"),
        ("https://example.org/%2e%2e%2fx.txt", "x.txt"),
        ("https://example.org/folder/", "folder"),
        ("https://example.org/.hidden", "hidden"),
        ("https://example.org/🐈", "_"),
        ("https://example.org/?", "example.org"),
    ],
)
def test_a_name_is_the_last_part_of_the_path(uri: str, name: str) -> None:
    assert file_name(uri) == name


def test_files_of_one_name_from_two_addresses_stay_apart(place: Place, hub: HubServer) -> None:
    one, other = hub.add("a/x.txt", A), hub.add("b/x.txt", B)
    place.manifest(f'[dataset.two]\nsource = ["{one}", "{other}"]\nval_source = "{other}"\n')
    place.make("dataset.two")
    assert place.files("dataset.two") == {
        "train/0000": ("data/two/train-0000-x.txt", A),
        "train/0001": ("data/two/train-0001-x.txt", B),
        "valid/0000": ("data/two/valid-0000-x.txt", B),
    }


def test_what_an_earlier_try_fetched_is_not_fetched_again(place: Place, hub: HubServer) -> None:
    one, other = hub.add("a.txt", A), f"{hub.url}/later.txt"
    place.manifest(f'[dataset.two]\nsource = ["{one}", "{other}"]\n')
    place.failure("dataset.two")
    hub.add("later.txt", B)
    place.make("dataset.two")
    assert len(hub.gets("a.txt")) == 1


def test_a_missing_address_is_named(place: Place, hub: HubServer) -> None:
    place.manifest(f'[dataset.one]\nsource = "{hub.url}/none.txt"\n')
    error = place.failure("dataset.one")
    assert f"{hub.url}/none.txt" in error.message
    assert error.hint


def test_what_was_fetched_is_pinned_and_replaced_only_when_asked(place: Place, hub: HubServer) -> None:
    url = hub.add("x.txt", A)
    place.manifest(f'[dataset.one]\nsource = "{url}"\n')
    place.make("dataset.one")
    hub.add("x.txt", B)
    (place.root / "data/one/train-0000-x.txt").unlink()
    error = place.failure("dataset.one")
    assert isinstance(error, VerifyError)
    assert "tsws apply --replace dataset.one" in (error.hint or "")
    assert LockFile.load(place.root / "tinystories.lock").pins[url].sha256 == sha256_bytes(A)
    place.make("dataset.one", replace=["dataset.one"])
    assert LockFile.load(place.root / "tinystories.lock").pins[url].sha256 == sha256_bytes(B)
    assert place.files("dataset.one") == {"train/0000": ("data/one/train-0000-x.txt", B)}


@pytest.mark.parametrize("local", [True, False])
def test_a_digest_in_the_manifest_is_kept_to(place: Place, hub: HubServer, local: bool) -> None:
    source = hub.add("x.txt", A)
    if local:
        place.write("x.txt", A)
        source = "x.txt"
    manifest = f'[dataset.one]\nsource = "{source}"\nsha256 = "%s"\n'
    place.manifest(manifest % sha256_bytes(B))
    error = place.failure("dataset.one")
    assert isinstance(error, VerifyError)
    assert sha256_bytes(A) in error.message
    assert sha256_bytes(B) in error.message
    place.manifest(manifest % sha256_bytes(A))
    place.make("dataset.one")
    assert [content for _, content in place.files("dataset.one").values()] == [A]


def test_a_file_outside_of_the_workspace_stays_where_it_is(place: Place, tmp_path: Path) -> None:
    (tmp_path / "my stories.txt").write_bytes(A)
    uri = (tmp_path / "my stories.txt").as_uri()
    place.manifest(f'[dataset.one]\nsource = "{uri}"\n')
    place.make("dataset.one")
    (output,) = place.record("dataset.one").outputs
    assert (output.path, output.owned) == (f"{tmp_path}/my stories.txt", False)
    assert not place.open().plan(["dataset.one"]).changes

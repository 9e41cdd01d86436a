"""Stories come out of files whole, in order, and shared out for good."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.text import corpus
from tsws.text.corpus import is_validation, split, stories_of


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_stories_are_stripped_and_empty_ones_dropped(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.txt",
        b"\xef\xbb\xbf One.\nTwo lines. \n<|endoftext|>\n\n \n<|endoftext|>\nThree\r\nlines<|endoftext|>Last",
    )
    assert list(stories_of(path)) == ["One.\nTwo lines.", "Three\nlines", "Last"]


def test_an_empty_file_has_no_stories(tmp_path: Path) -> None:
    assert list(stories_of(write(tmp_path / "a.txt", b""))) == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r<\ufeff"))), st.integers(1, 40))
def test_stories_survive_being_read_in_pieces(scratch: Path, stories: list[str], chunk: int) -> None:
    path = scratch / "a.txt"
    path.write_bytes("".join(f"{story}\n<|endoftext|>\n" for story in stories).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_CHUNK", chunk)
        assert list(stories_of(path)) == [story.strip() for story in stories if story.strip()]


def test_gzip_is_unpacked_and_read_positions_are_those_of_the_packed_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt.gz", gzip.compress(b"one<|endoftext|>two" * 1000))
    seen: list[int] = []
    assert len(list(stories_of(path, on_read=seen.append))) == 1001
    assert seen[-1] == path.stat().st_size
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"no gzip", lambda data: data[:20] + b"xxxx" + data[24:]]
)
def test_damaged_gzip_is_named(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    path = write(tmp_path / "a.txt.gz", damage(gzip.compress(b"one two three four <|endoftext|> five" * 10)))
    with pytest.raises(FormatError, match=r"a\.txt\.gz is not a whole gzip file"):
        list(stories_of(path))


@pytest.mark.parametrize(("before", "offset"), [(b"", 3), (b"fine\n<|endoftext|>\n" * 100_000, 1_900_003)])
def test_text_that_is_not_utf8_is_named_with_its_place(tmp_path: Path, before: bytes, offset: int) -> None:
    path = write(tmp_path / "a.txt", before + b"caf\xe9 <|endoftext|>")
    with pytest.raises(FormatError) as caught:
        list(stories_of(path))
    assert caught.value.message == f"{path} is not UTF-8 at byte {offset}: invalid continuation byte"
    assert caught.value.hint is not None


def test_the_place_counts_a_byte_order_mark(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="at byte 4:"):
        list(stories_of(write(tmp_path / "a.txt", b"\xef\xbb\xbfa\xff")))


def test_a_file_without_an_end_of_story_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MAX_STORY_BYTES", 1 << 20)
    path = write(tmp_path / "a.txt", b"x" * (3 << 20))
    with pytest.raises(FormatError, match=r"no <\|endoftext\|> in 1 MiB from byte 0 on"):
        list(stories_of(path))


def test_json_of_tinystories(tmp_path: Path) -> None:
    entries = [{"story": " One. ", "summary": "x", "instruction": {"words": ["a"]}}, {"story": ""}, {"story": "Zwei ü"}]
    path = write(tmp_path / "data00.json", json.dumps(entries).encode())
    assert list(stories_of(path, "json")) == ["One.", "Zwei ü"]


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'[{"tale": "x"}]', b'[{"story": 3}]', b'[{"story": "\xff"}]', b"[" * 5000]
)
def test_other_json_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FormatError, match=r"a\.json is not a JSON list"):
        list(stories_of(write(tmp_path / "a.json", data), "json"))


def test_validation_stories_are_spread_evenly() -> None:
    assert [index for index in range(61) if is_validation(index, 0.05)] == [0, 20, 40, 60]
    assert [index for index in range(8) if is_validation(index, 0.4)] == [0, 3, 5]
    assert not any(is_validation(index, 0.0) for index in range(100))
    assert all(is_validation(index, 1.0) for index in range(100))


@given(st.integers(0, 3000), st.floats(0, 1))
def test_the_share_for_validation_is_the_fraction(count: int, fraction: float) -> None:
    chosen = sum(is_validation(index, fraction) for index in range(count))
    assert abs(chosen - count * fraction) <= 1.01


@given(st.lists(st.text(), max_size=50), st.floats(0, 1))
def test_the_two_parts_are_all_stories_once(stories: list[str], fraction: float) -> None:
    train, val = (list(split(enumerate(stories), fraction, part)) for part in ("train", "val"))  # type: ignore[arg-type,var-annotated]
    assert sorted(train + val) == list(enumerate(stories))


def test_real_stories_are_read(real_data: Path) -> None:
    stories = list(stories_of(real_data / "tinystories-train.txt"))
    assert len(stories) == 7154
    assert len(list(stories_of(real_data / "tinystories-valid.txt"))) == 500
    assert stories[0].startswith("Once upon a time, there was a little boy named Tim.")

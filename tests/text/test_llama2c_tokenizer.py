"""llama2.c's tokenizer files are read with care, and used by llama2.c's rules."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.text.corpus import stories_of
from tsws.text.llama2c_tokenizer import Llama2cTokenizer
from tsws.text.tokenizer import Tokenizer, llama2c_bin

SIZES = {"tok105/tok105": 105, "stories260K/tok512": 512}


def packed(*pieces: tuple[bytes, float]) -> bytes:
    longest = max((len(piece) for piece, _ in pieces), default=0)
    return struct.pack("<I", longest) + b"".join(struct.pack("<fI", score, len(p)) + p for p, score in pieces)


def text_of(tokenizer: Llama2cTokenizer, tokens: list[int]) -> str:
    pairs = pairwise(tokens)
    return b"".join(tokenizer.decode_piece(previous, token) for previous, token in pairs).decode()


@pytest.mark.parametrize("name", SIZES)
def test_ordinary_text_is_encoded_as_sentencepiece_does(real_data: Path, name: str) -> None:
    mine = Llama2cTokenizer.load(real_data / f"{name}.bin", SIZES[name])
    theirs = Tokenizer(real_data / f"{name}.model")
    for story in list(stories_of(real_data / "tinystories-valid.txt"))[:40]:
        text = " ".join(story.split())
        tokens = mine.encode(text)
        assert tokens == [1, *theirs.encode(text)]
        assert text_of(mine, tokens) == text


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_comes_back_where_bytes_have_pieces(scratch: Path, toy_model: Path, text: str) -> None:
    path = scratch / "toy.bin"
    path.write_bytes(llama2c_bin(toy_model))
    tokenizer = Llama2cTokenizer.load(path, 400)
    assert text_of(tokenizer, tokenizer.encode(text)) == text


def test_bos_and_eos_are_given_when_asked_for(real_data: Path) -> None:
    tokenizer = Llama2cTokenizer.load(real_data / "tok105/tok105.bin", 105)
    assert tokenizer.encode("a") == [1, 3, 5]
    assert tokenizer.encode("a", bos=False, eos=True) == [3, 5, 2]
    assert tokenizer.encode("") == [1]
    assert tokenizer.encode("", eos=True) == [1, 2]


def test_the_best_score_is_joined_first_and_of_equals_the_first() -> None:
    pieces = [b"<unk>", b"\n<s>\n", b"\n</s>\n", b" ", b"a", b"b", b"ab", b"ba", b"aa"]
    scores = [0.0, 0.0, 0.0, -9.0, -9.0, -9.0, -3.0, -1.0, -2.0]
    tokenizer = Llama2cTokenizer(pieces, scores)
    said = {text: [pieces[i].decode() for i in tokenizer.encode(text, bos=False)] for text in ("aba", "aaa", "abab")}
    assert said == {"aba": [" ", "a", "ba"], "aaa": [" ", "aa", "a"], "abab": [" ", "a", "ba", "b"]}


def test_bytes_without_an_id_are_unknown(real_data: Path) -> None:
    tokenizer = Llama2cTokenizer.load(real_data / "tok105/tok105.bin", 105)
    assert tokenizer.encode("\n", bos=False) == [3, 13]  # byte 10, plus 3
    assert tokenizer.encode("é🎈", bos=False)[1:] == [tokenizer.pieces.index("é".encode()), 0, 0, 0, 0]


def test_pieces_are_decoded_as_llama2c_does(real_data: Path) -> None:
    tokenizer = Llama2cTokenizer.load(real_data / "stories260K/tok512.bin", 512)
    the = tokenizer.pieces.index(b" the")
    assert tokenizer.decode_piece(1, the) == b"the"
    assert tokenizer.decode_piece(5, the) == b" the"
    assert tokenizer.decode_piece(5, 3 + 0x0A) == b"\n"
    assert tokenizer.decode_piece(1, 3 + 0xE9) == b"\xe9"
    with pytest.raises(IndexError):
        tokenizer.decode_piece(1, 512)


@pytest.mark.parametrize(
    ("data", "vocab_size", "reason"),
    [
        (b"", 1, "it is empty"),
        (b"\1\0\0", 1, "it is empty"),
        (packed((b"a", 0.0)), 2, "it ends before piece 1"),
        (packed((b"a", 0.0))[:-1], 1, "piece 0 claims 1 bytes"),
        (packed((b"a", 0.0), (b"b", 0.0)), 1, "9 bytes are left over"),
        (packed((b"a", float("nan"))), 1, "the score of piece 0 is no number"),
        (struct.pack("<IfI", 0xFFFFFFFF, 0.0, 0xFFFFFFFF), 1, "piece 0 claims 4294967295 bytes"),
        (struct.pack("<IfI", 1, 0.0, 2) + b"ab", 1, "piece 0 claims 2 bytes"),
    ],
)
def test_files_that_contradict_themselves_are_refused(
    tmp_path: Path, data: bytes, vocab_size: int, reason: str
) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        Llama2cTokenizer.load(path, vocab_size)
    assert caught.value.message == f"{path} is not a llama2.c tokenizer of {vocab_size} pieces: {reason}"


@given(st.binary(max_size=60), st.integers(0, 8))
def test_random_bytes_are_read_or_refused(scratch: Path, data: bytes, vocab_size: int) -> None:
    path = scratch / "x.bin"
    path.write_bytes(data)
    try:
        tokenizer = Llama2cTokenizer.load(path, vocab_size)
    except FormatError:
        return
    assert tokenizer.vocab_size == vocab_size

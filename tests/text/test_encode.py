"""The quick encoders give the ids that sentencepiece gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.text.corpus import stories_of
from tsws.text.encode import BatchEncoder, Encoder, TableEncoder, encoder_of
from tsws.text.sentencepiece_proto import parse_model, read_model
from tsws.text.tokenizer import Tokenizer

NASTY = " \u2581\n\t\r\0\u00a0\u3000\u200b\u2028\ufeff\ufffdabzéñ🎈e\u0301.\"'"
"""Spaces of all kinds, the unlisted, and a little of the listed."""

nasty_texts = st.lists(st.one_of(st.text(NASTY), st.text(), st.text(" \u2581a")), max_size=8)


def one_by_one(model: Path, stories: list[str]) -> list[int]:
    tokenizer = Tokenizer(model)
    assert tokenizer.bos_id == 1
    return [token for story in stories for token in [1, *tokenizer.encode(story)]]


@pytest.fixture(scope="module")
def table(character_model: Path) -> Encoder:
    encoder = encoder_of(character_model)
    assert isinstance(encoder, TableEncoder)
    return encoder


@settings(max_examples=400)
@given(stories=nasty_texts)
def test_the_table_follows_sentencepiece(character_model: Path, table: Encoder, stories: list[str]) -> None:
    assert table(stories).tolist() == one_by_one(character_model, stories)


@settings(max_examples=50)
@given(stories=nasty_texts)
def test_the_batch_encoder_gives_the_same_with_any_number_of_threads(toy_model: Path, stories: list[str]) -> None:
    expected = one_by_one(toy_model, stories)
    for threads in (1, 3):
        encoder = encoder_of(toy_model, threads=threads)
        assert isinstance(encoder, BatchEncoder)
        assert encoder(stories).tolist() == expected


def test_tokens_are_uint16_and_no_stories_give_none(character_model: Path, toy_model: Path) -> None:
    for model in (character_model, toy_model):
        encoder = encoder_of(model)
        assert encoder(["a cat"]).dtype == np.uint16
        assert encoder([]).dtype == np.uint16
        assert encoder([]).shape == (0,)
        assert (encoder.bos_id, encoder.vocab_size) == (1, Tokenizer(model).vocab_size)


def test_text_that_is_no_unicode_is_refused(table: Encoder) -> None:
    with pytest.raises(FormatError, match="no valid Unicode"):
        table(["fine", "\ud800"])


def test_real_stories_give_the_ids_of_sentencepiece(real_data: Path) -> None:
    model = real_data / "tok105/tok105.model"
    stories = list(stories_of(real_data / "tinystories-train.txt"))
    quick = encoder_of(model)
    assert isinstance(quick, TableEncoder)
    assert np.array_equal(quick(stories), BatchEncoder(model)(stories))


@settings(max_examples=200)
@given(stories=nasty_texts)
def test_the_real_table_follows_sentencepiece(real_data: Path, stories: list[str]) -> None:
    model = real_data / "tok105/tok105.model"
    assert encoder_of(model)(stories).tolist() == one_by_one(model, stories)


def test_a_model_that_prepares_text_in_another_way_is_left_to_sentencepiece(tmp_path: Path) -> None:
    import sentencepiece

    def trained(**options: Any) -> Path:
        path = tmp_path / "x.model"
        with open(path, "wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(["a b c d"]), model_writer=file, minloglevel=2, **options
            )
        return path

    plain: dict[str, Any] = {"model_type": "bpe", "vocab_size": 8, "normalization_rule_name": "identity"}
    assert isinstance(encoder_of(trained(**plain)), TableEncoder)
    for change in (
        {"normalization_rule_name": "nmt_nfkc"},
        {"add_dummy_prefix": False},
        {"remove_extra_whitespaces": False},
        {"treat_whitespace_as_suffix": True},
        {"vocab_size": 9, "user_defined_symbols": "d"},
        {"model_type": "unigram"},
    ):
        assert isinstance(encoder_of(trained(**(plain | change))), BatchEncoder), change


def test_a_model_without_bos_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.model"
    path.write_bytes(b"\x0a\x09\x0a\x05<unk>\x18\x02\x0a\x05\x0a\x03\xe2\x96\x81")
    assert parse_model(path.read_bytes()) == read_model(path)
    with pytest.raises(FormatError, match="has no piece <s> to begin stories with"):
        encoder_of(path)

"""Tokenizers are trained the same every time, and exported byte for byte as llama2.c has them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError, TswsError
from tsws.text import tokenizer as tokenizer_module
from tsws.text.sentencepiece_proto import MAX_MODEL_BYTES, ModelType, parse_model, read_model
from tsws.text.tokenizer import Tokenizer, llama2c_bin, train_tokenizer, vocab_text


@pytest.mark.parametrize("name", ["tok105/tok105", "stories260K/tok512"])
def test_llama2c_export_is_byte_identical(real_data: Path, name: str) -> None:
    assert llama2c_bin(real_data / f"{name}.model") == (real_data / f"{name}.bin").read_bytes()


def test_vocab_is_what_sentencepiece_writes(real_data: Path) -> None:
    assert vocab_text(real_data / "tok105/tok105.model") == (real_data / "tok105/tok105.vocab").read_bytes()


def test_vocab_of_a_trained_tokenizer_is_what_sentencepiece_writes(tmp_path: Path, toy_texts: list[str]) -> None:
    import sentencepiece

    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(toy_texts))
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines), model_prefix=str(tmp_path / "m"), vocab_size=90, model_type="unigram", minloglevel=2
    )
    assert vocab_text(tmp_path / "m.model") == (tmp_path / "m.vocab").read_bytes()


def test_training_gives_the_same_bytes_with_any_number_of_threads(
    tmp_path: Path, toy_texts: list[str], toy_model: Path
) -> None:
    for threads in (1, 2, 5):
        train_tokenizer(iter(toy_texts), tmp_path / "x.model", vocab_size=400, threads=threads)
        assert (tmp_path / "x.model").read_bytes() == toy_model.read_bytes()


def test_training_is_quiet(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from tsws.text.tokenizer import train_tokenizer; from tsws.errors import TswsError\n"
        f"train_tokenizer(['some words to learn'] * 9, Path({str(tmp_path / 'x.model')!r}), vocab_size=280)\n"
        f"try: train_tokenizer(['a'], Path({str(tmp_path / 'y.model')!r}), vocab_size=3000)\n"
        "except TswsError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert not (tmp_path / "y.model").exists()


def test_a_trained_tokenizer_is_like_llama2c_s(toy_model: Path, toy_texts: list[str], real_data: Path) -> None:
    tokenizer = Tokenizer(toy_model)
    assert (tokenizer.vocab_size, tokenizer.bos_id, tokenizer.eos_id) == (400, 1, 2)
    assert tokenizer.pieces[:4] == ("<unk>", "<s>", "</s>", "<0x00>")
    assert tokenizer.pieces[:259] == Tokenizer(real_data / "stories260K/tok512.model").pieces[:259]
    mine, theirs = read_model(toy_model), read_model(real_data / "stories260K/tok512.model")
    assert mine.model_type is theirs.model_type is ModelType.BPE
    assert mine.identity_normalization and theirs.identity_normalization
    for text in [*toy_texts[:50], "Zoë's café 🎈 costs 105 €", "tab\tand\nline"]:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    digits = [tokenizer.pieces[index] for index in tokenizer.encode("1234")]
    assert all(len(piece.strip("▁")) <= 1 or piece.startswith("<0x") for piece in digits)
    assert not any("\n" in piece for piece in tokenizer.pieces)


def test_without_byte_fallback_the_unknown_is_unk(character_model: Path) -> None:
    tokenizer = Tokenizer(character_model)
    assert tokenizer.encode("a\n\nb")[2] == 0
    assert tokenizer.decode(tokenizer.encode("a\nb")) == "a ⁇ b"


def test_long_lines_are_learnt_from_too(tmp_path: Path) -> None:
    line = "zebra " * 5000 + "x" * 9000 + " ÄÖ" * 3000
    sentences = list(tokenizer_module._cut(line))
    assert "".join(sentences) == line
    assert max(len(sentence.encode()) for sentence in sentences) <= tokenizer_module.MAX_SENTENCE_BYTES
    train_tokenizer([line], tmp_path / "x.model", vocab_size=280)
    assert any("zebra" in piece for piece in Tokenizer(tmp_path / "x.model").pieces)


def test_training_reads_no_more_than_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_module, "MAX_TRAINING_CHARACTERS", 10)
    endless = iter(lambda: "four", None)
    assert list(tokenizer_module._sentences(endless)) == ["four"] * 3


@pytest.mark.parametrize(
    ("texts", "vocab_size", "message", "hint"),
    [
        (["a b c"], 5000, "vocab_size = 5000 is more than the text has pieces for",
         "Set vocab_size to 266 or less, or train on more text."),
        (["abcdefghij"], 260, "vocab_size = 260 is too small: the characters of the text alone need 270 pieces",
         "Set vocab_size to 270 or more, or lower character_coverage."),
        ([], 300, "a tokenizer can not be trained without text", "Check that the dataset has stories in it."),
        (["\n \n"], 300, "a tokenizer can not be trained without text", "Check that the dataset has stories in it."),
    ],
)  # fmt: skip
def test_errors_of_training_say_what_to_do(
    tmp_path: Path, texts: list[str], vocab_size: int, message: str, hint: str
) -> None:
    with pytest.raises(TswsError) as caught:
        train_tokenizer(texts, tmp_path / "x.model", vocab_size=vocab_size)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"no model", b"\x0a\xff\xff\xff\xff\x0f", b"\x00" * 100, b"\x0a\x05\x0a\x03abc"])
def test_files_that_are_no_model_are_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.model"
    path.write_bytes(data)
    for use in (Tokenizer, vocab_text, llama2c_bin):
        with pytest.raises(FormatError, match=r"broken\.model is not a sentencepiece model"):
            use(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.model"
    with open(path, "wb") as file:
        file.truncate(MAX_MODEL_BYTES + 1)
    with pytest.raises(FormatError, match="more than any tokenizer needs"):
        Tokenizer(path)


@given(data=st.data())
def test_damage_to_a_model_never_gets_past_as_anything_but_an_error_or_a_model(
    scratch: Path, toy_model: Path, data: st.DataObject
) -> None:
    damaged = bytearray(toy_model.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))]
    path = scratch / "x.model"
    path.write_bytes(damaged)
    try:
        tokenizer = Tokenizer(path)
    except FormatError:
        return
    assert tokenizer.vocab_size == len(tokenizer.pieces)
    assert all(index < tokenizer.vocab_size for index in tokenizer.encode("Once upon a time"))


@given(st.binary(max_size=200))
def test_the_reader_of_models_only_ever_raises_value_error(data: bytes) -> None:
    try:
        model = parse_model(data)
    except ValueError:
        return
    assert 0 <= model.unk_id < len(model.pieces)


def test_exporting_does_not_load_sentencepiece(toy_model: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tsws.text.tokenizer import llama2c_bin, vocab_text\n"
        f"llama2c_bin(Path({str(toy_model)!r})); vocab_text(Path({str(toy_model)!r}))\n"
        "assert not {'sentencepiece', 'numpy', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

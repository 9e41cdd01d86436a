"""Sentencepiece tokenizers: trained, used, and written in the formats of sentencepiece and llama2.c."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tsws.errors import FormatError, TswsError
from tsws.io.atomic import write_bytes
from tsws.text.sentencepiece_proto import SPACE, read_model, without_thread_count

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

MAX_SENTENCE_BYTES = 4192
"""Sentencepiece leaves longer sentences out (its ``max_sentence_length``), so longer lines are cut between words."""

MAX_TRAINING_CHARACTERS = 100_000_000
"""Training reads so much text from the front, and no more: sentencepiece holds it in memory (about 1 GB at most)."""

_BOS_SURFACE = "\n<s>\n"
_EOS_SURFACE = "\n</s>\n"


def train_tokenizer(
    stories: Iterable[str],
    model: Path,
    *,
    vocab_size: int,
    character_coverage: float = 1.0,
    byte_fallback: bool = True,
    split_digits: bool = True,
    threads: int = 1,
) -> None:
    """Train a BPE model the way llama2.c trains its own, and write it to ``model``.

    The text is taken as it is (identity normalisation), each line of a story is a sentence, and a line end is no
    character of the vocabulary: with ``byte_fallback`` it becomes the byte ``<0x0A>``, without it ``<unk>``. The same
    stories give the same bytes, whatever the number of threads.

    Args:
        stories: the text; the first ``MAX_TRAINING_CHARACTERS`` of it are used.
        model: the file to write, atomically.
        vocab_size: number of pieces, ``<unk>``, ``<s>``, ``</s>`` and the 256 bytes of ``byte_fallback`` included.
        character_coverage: share of the characters of the text that get a piece of their own.
        byte_fallback: a character without a piece becomes its UTF-8 bytes instead of ``<unk>``.
        split_digits: every digit is a piece of its own.
        threads: threads to train with.

    Raises:
        TswsError: the text does not allow such a vocabulary, or there is no text.
        OSError: the file can not be written.
    """
    from sentencepiece import SentencePieceTrainer

    written = io.BytesIO()
    try:
        SentencePieceTrainer.train(
            sentence_iterator=_sentences(stories),
            model_writer=written,
            model_type="bpe",
            vocab_size=vocab_size,
            character_coverage=character_coverage,
            byte_fallback=byte_fallback,
            split_digits=split_digits,
            num_threads=threads,
            allow_whitespace_only_pieces=True,
            unk_surface=" \u2047 ",
            normalization_rule_name="identity",
            max_sentence_length=MAX_SENTENCE_BYTES,
            self_test_sample_size=0,
            minloglevel=2,  # errors only; they come as exceptions as well
        )
    except RuntimeError as error:
        raise _training_error(str(error), vocab_size) from error
    write_bytes(model, without_thread_count(written.getvalue()))


class Tokenizer:
    """A sentencepiece model at work.

    Raises:
        FormatError: ``model`` is not a sentencepiece model, or is damaged.
        OSError: it can not be read.
    """

    def __init__(self, model: Path) -> None:
        self._model = read_model(model)
        self._processor = load_processor(model)

    @property
    def vocab_size(self) -> int:
        """Number of pieces; every id is below it."""
        return len(self._model.pieces)

    @property
    def bos_id(self) -> int | None:
        """Id of the piece that begins a story; None when the model has none."""
        return self._model.bos_id

    @property
    def eos_id(self) -> int | None:
        """Id of the piece that ends a story; None when the model has none."""
        return self._model.eos_id

    @property
    def pieces(self) -> tuple[str, ...]:
        """The text of every piece, by id, with U+2581 for a space."""
        return tuple(piece.text for piece in self._model.pieces)

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without BOS and EOS."""
        ids: list[int] = self._processor.encode(text)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; unknown pieces become U+2047, and control pieces nothing."""
        text: str = self._processor.decode(list(ids))
        return text


def load_processor(model: Path) -> SentencePieceProcessor:
    """Sentencepiece's own processor for a ``.model``.

    Raises:
        FormatError: sentencepiece refuses the file.
        OSError: it can not be read.
    """
    from sentencepiece import SentencePieceProcessor

    try:
        return SentencePieceProcessor(model_proto=model.read_bytes())
    except RuntimeError as error:
        raise FormatError(
            f"{model} is not a sentencepiece model: {_reason(str(error)) or 'it can not be parsed'}",
            hint="Fetch the tokenizer again, or train another.",
        ) from error


def vocab_text(model: Path) -> bytes:
    """The ``.vocab`` file of a ``.model``: a line ``piece TAB score`` for every id, as sentencepiece writes it.

    Raises:
        FormatError: ``model`` is not a sentencepiece model.
    """
    return "".join(f"{piece.text}\t{piece.score:g}\n" for piece in read_model(model).pieces).encode()


def llama2c_bin(model: Path) -> bytes:
    """The tokenizer of a ``.model`` in llama2.c's format, byte for byte as llama2.c exports it.

    Little endian: uint32 length of the longest piece, then for every id float32 score, uint32 length, and the piece in
    UTF-8, not terminated. A space stands as itself, BOS and EOS stand between line ends.

    Raises:
        FormatError: ``model`` is not a sentencepiece model.
    """
    read = read_model(model)
    surfaces = {read.bos_id: _BOS_SURFACE, read.eos_id: _EOS_SURFACE}
    texts = [surfaces.get(index, piece.text).replace(SPACE, " ").encode() for index, piece in enumerate(read.pieces)]
    written = bytearray(struct.pack("<I", max(map(len, texts))))
    for piece, text in zip(read.pieces, texts, strict=True):
        written += struct.pack("<fI", piece.score, len(text)) + text
    return bytes(written)


def _sentences(stories: Iterable[str]) -> Iterator[str]:
    left = MAX_TRAINING_CHARACTERS
    for story in stories:
        for line in story.splitlines():
            for sentence in _cut(line):
                yield sentence
                left -= len(sentence)
                if left <= 0:
                    return


def _cut(line: str) -> Iterator[str]:
    """The line in parts that are not too long, cut at spaces where there are any."""
    longest = MAX_SENTENCE_BYTES // 4  # a character has four bytes at most
    while len(line.encode()) > MAX_SENTENCE_BYTES:
        end = line.rfind(" ", 1, longest)
        end = end if end > 0 else longest
        yield line[:end]
        line = line[end:]
    if line.strip():
        yield line


def _training_error(text: str, vocab_size: int) -> TswsError:
    if largest := re.search(r"<= (\d+)", _reason(text)):
        return TswsError(
            f"vocab_size = {vocab_size} is more than the text has pieces for",
            hint=f"Set vocab_size to {largest[1]} or less, or train on more text.",
        )
    if smallest := re.search(r"smaller than required_chars\. \d+ vs (\d+)", text):
        return TswsError(
            f"vocab_size = {vocab_size} is too small: the characters of the text alone need {smallest[1]} pieces",
            hint=f"Set vocab_size to {smallest[1]} or more, or lower character_coverage.",
        )
    if "sentences_.empty()" in text:
        return TswsError(
            "a tokenizer can not be trained without text", hint="Check that the dataset has stories in it."
        )
    return TswsError(
        f"sentencepiece could not train a tokenizer: {_reason(text)}", hint="Check the keys of the tokenizer."
    )


def _reason(text: str) -> str:
    """What sentencepiece says for people: the part behind the place in its source and the failed condition."""
    return re.sub(r"^.*?\.cc\(\d+\) (\[.*?\] )?", "", text, count=1).strip()

"""Stories become shards, and no interruption changes a byte of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tsws.errors import FormatError, InterruptedByUser, TswsError
from tsws.text.corpus import split
from tsws.text.encode import encoder_of
from tsws.text.shards import check_shard, open_shard
from tsws.text.tokenize import tokenize


@pytest.fixture
def corpus(tmp_path: Path, toy_texts: list[str]) -> list[Path]:
    """Two files of stories."""
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for path, texts in zip(paths, (toy_texts[:300], toy_texts[300:]), strict=True):
        path.write_text("".join(f"{text}\n<|endoftext|>\n" for text in texts))
    return paths


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_shards_have_llama2c_s_layout(
    tmp_path: Path, corpus: list[Path], toy_texts: list[str], toy_model: Path
) -> None:
    shards = tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / "w", val_fraction=0.1, shard_tokens=20_000)
    assert [path.name for path in shards[:3]] == ["data00.bin", "data01.bin", "data02.bin"]
    encode = encoder_of(toy_model)
    assert np.array_equal(open_shard(shards[0]), encode(list(split(toy_texts, 0.1, "val"))))
    train = np.concatenate([open_shard(path) for path in shards[1:]])
    assert np.array_equal(train, encode(list(split(toy_texts, 0.1, "train"))))
    sizes = [check_shard(path, 400) for path in shards]
    assert all(20_000 <= size < 21_000 for size in sizes[1:-1])
    assert len(sizes) > 3
    for path in shards:
        tokens = open_shard(path)
        assert tokens[0] == 1
        assert not (tokens == 2).any()


def test_validation_files_are_taken_when_given(
    tmp_path: Path, corpus: list[Path], toy_texts: list[str], toy_model: Path
) -> None:
    val, train = tokenize(corpus[:1], corpus[1:], tokenizer=toy_model, folder=tmp_path / "w")
    encode = encoder_of(toy_model)
    assert np.array_equal(open_shard(val), encode(toy_texts[300:]))
    assert np.array_equal(open_shard(train), encode(toy_texts[:300]))


@pytest.mark.parametrize("shard_tokens", [1, 500, 1 << 24])
def test_any_size_of_shards_holds_whole_stories(
    tmp_path: Path, corpus: list[Path], toy_texts: list[str], toy_model: Path, shard_tokens: int
) -> None:
    _, *train = tokenize(corpus[1:], corpus[:1], tokenizer=toy_model, folder=tmp_path / "w", shard_tokens=shard_tokens)
    joined = np.concatenate([open_shard(path) for path in train])
    assert np.array_equal(joined, encoder_of(toy_model)(toy_texts[300:]))
    assert all(open_shard(path)[0] == 1 for path in train)
    assert len(train) == (100 if shard_tokens == 1 else len(train))


def test_progress_runs_over_the_bytes_of_the_files(tmp_path: Path, corpus: list[Path], toy_model: Path) -> None:
    seen: list[tuple[float, float | None]] = []
    tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / "w", progress=lambda *step: seen.append(step))
    total = 2 * sum(path.stat().st_size for path in corpus)  # once for each of the two parts
    assert seen == sorted(seen)
    assert {step[1] for step in seen} == {total}
    assert seen[-1] == (total, total)


def test_a_stop_keeps_what_is_finished_and_the_next_call_ends_the_same(
    tmp_path: Path, corpus: list[Path], toy_model: Path
) -> None:
    def run(folder: str, asked: int) -> None:
        left = [asked]

        def stop() -> bool:
            left[0] -= 1
            return left[0] < 0

        tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / folder, shard_tokens=9000, stop=stop)

    run("whole", 1000)
    with pytest.raises(InterruptedByUser):
        run("parts", 6)  # while the second part is read
    assert (tmp_path / "parts/data00.bin").exists()
    kept = (tmp_path / "parts/data00.bin").stat().st_mtime_ns
    run("parts", 1000)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert (tmp_path / "parts/data00.bin").stat().st_mtime_ns == kept


PROGRAM = """
import os, signal, sys
from pathlib import Path
from tsws.text import tokenize as module

model, folder, shards, *train = sys.argv[1:]
left = int(shards)
write = module.write_bytes

def write_and_die(path, data):
    global left
    if {before}:
        write(path, data)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if not {before}:
        write(path, data)

module.write_bytes = write_and_die
module.tokenize([Path(path) for path in train], None, tokenizer=Path(model), folder=Path(folder), shard_tokens=9000)
"""


@pytest.mark.parametrize("journaled", [True, False])
def test_a_killed_process_is_continued_to_the_same_bytes(
    tmp_path: Path, corpus: list[Path], toy_model: Path, journaled: bool
) -> None:
    expected = tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / "whole", shard_tokens=9000)
    folder = tmp_path / "killed"
    program = PROGRAM.format(before=journaled)
    lengths = []
    for _ in range(2):  # killed twice, at the third shard and at the third after that
        done = subprocess.run([sys.executable, "-c", program, toy_model, folder, "3", *corpus], check=False)
        assert done.returncode == -signal.SIGKILL
        lengths.append(len(list(folder.glob("data*.bin"))))
    assert lengths == ([3, 6] if journaled else [3, 5])
    first = (folder / "data00.bin").stat().st_mtime_ns
    shards = tokenize(corpus, None, tokenizer=toy_model, folder=folder, shard_tokens=9000)
    assert [path.name for path in shards] == [path.name for path in expected]
    assert contents(folder) == contents(tmp_path / "whole")
    assert (folder / "data00.bin").stat().st_mtime_ns == first


def test_a_process_killed_at_any_moment_is_continued(tmp_path: Path, toy_model: Path, toy_texts: list[str]) -> None:
    source = tmp_path / "many.txt"
    source.write_text("".join(f"{text}\n<|endoftext|>\n" for text in toy_texts * 25))
    tokenize([source], None, tokenizer=toy_model, folder=tmp_path / "whole", shard_tokens=100_000)
    folder = tmp_path / "killed"
    program = (
        "import sys; from pathlib import Path; from tsws.text.tokenize import tokenize\n"
        "model, folder, train = map(Path, sys.argv[1:])\n"
        "tokenize([train], None, tokenizer=model, folder=folder, shard_tokens=100_000,"
        " progress=lambda *step: (print(*step, flush=True), sys.stdin.readline()))"
    )
    for steps in (9, 5):  # a MiB each: over the validation part into the training part, then on in that
        with subprocess.Popen(
            [sys.executable, "-c", program, toy_model, folder, source], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for _ in range(steps):
                assert process.stdout.readline()
                process.stdin.write(b"\n")
                process.stdin.flush()
            os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    assert (folder / "journal.json").exists()
    tokenize([source], None, tokenizer=toy_model, folder=folder, shard_tokens=100_000)
    assert contents(folder) == contents(tmp_path / "whole")


def test_other_inputs_begin_anew(tmp_path: Path, corpus: list[Path], toy_model: Path, character_model: Path) -> None:
    folder = tmp_path / "w"
    tokenize(corpus, None, tokenizer=toy_model, folder=folder, shard_tokens=5000)
    many = len(contents(folder))
    (folder / ".data77.bin.0000.tsws-tmp").write_bytes(b"left by a kill")
    tokenize(corpus, None, tokenizer=character_model, folder=folder, shard_tokens=1 << 20)
    tokenize(corpus, None, tokenizer=character_model, folder=tmp_path / "fresh", shard_tokens=1 << 20)
    assert contents(folder) == contents(tmp_path / "fresh")
    assert len(contents(folder)) < many


@pytest.mark.parametrize("journal", [b"", b"{}", b"[1]", b'{"inputs": "x", "shards": [{"number": 0}]}'])
def test_a_damaged_journal_begins_anew(tmp_path: Path, corpus: list[Path], toy_model: Path, journal: bytes) -> None:
    tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / "w")
    whole = contents(tmp_path / "w")
    (tmp_path / "w/journal.json").write_bytes(journal)
    tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / "w")
    assert contents(tmp_path / "w") == whole


def test_a_shard_that_went_missing_is_written_again(tmp_path: Path, corpus: list[Path], toy_model: Path) -> None:
    tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / "w", shard_tokens=9000)
    whole = contents(tmp_path / "w")
    (tmp_path / "w/data03.bin").unlink()
    tokenize(corpus, None, tokenizer=toy_model, folder=tmp_path / "w", shard_tokens=9000)
    assert contents(tmp_path / "w") == whole


def test_without_stories_there_are_no_shards(tmp_path: Path, corpus: list[Path], toy_model: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text(" \n<|endoftext|>\n")
    with pytest.raises(TswsError, match=r"there are no stories for validation in .*empty\.txt"):
        tokenize(corpus, [empty], tokenizer=toy_model, folder=tmp_path / "w")
    with pytest.raises(TswsError, match=r"there are no stories for training in .*empty\.txt"):
        tokenize([empty], corpus, tokenizer=toy_model, folder=tmp_path / "w")


def test_a_bos_at_another_id_is_refused(tmp_path: Path, corpus: list[Path]) -> None:
    import sentencepiece

    with open(tmp_path / "x.model", "wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c d"]), model_writer=file, vocab_size=8, model_type="bpe", bos_id=0, unk_id=1,
            minloglevel=2,
        )  # fmt: skip
    with pytest.raises(FormatError, match=r"x\.model has BOS at id 0"):
        tokenize(corpus, None, tokenizer=tmp_path / "x.model", folder=tmp_path / "w")

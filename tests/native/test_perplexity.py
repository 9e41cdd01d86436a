"""``--perplexity``: of texts and shards, windows included, against the log-probabilities that ``--json`` tells."""

from __future__ import annotations

import json
import math
import subprocess

import numpy as np
import pytest

pytestmark = pytest.mark.parametrize("build", ["gcc-sanitized"], indirect=True)

STORIES = ("Once upon a time, there was a cat.", "The dog ran.", "Lily saw a red ball.\nShe was happy.")


@pytest.fixture
def run(build, real_data):
    files = [real_data / "stories260K/stories260K.bin", "-z", real_data / "stories260K/tok512.bin"]

    def run(*arguments):
        return subprocess.run(
            [build.program(), *files, *map(str, arguments)], capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def score(run):
    def score(path, *arguments):
        done = run("--perplexity", path, "--json", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return score


@pytest.fixture
def logprobs(run):
    """Of each token after BOS, when the text is a prompt, with the tokens themselves."""

    def logprobs(text):
        done = run("-i", text, "--json", "--logprobs", "-n", "0")
        story = json.loads(done.stdout)
        return story["tokens"][: story["prompt_tokens"]], story["logprobs"][1 : story["prompt_tokens"]]

    return logprobs


def test_a_text_is_scored_story_by_story(score, logprobs, tmp_path):
    path = tmp_path / "stories.txt"
    path.write_bytes(
        b"\xef\xbb\xbf" + "\r\n<|endoftext|>\r\n\r\n".join(("", *STORIES, "  ")).replace(".\n", ".\r\n").encode()
    )
    scores = score(path)
    expected = [logprob for story in STORIES for logprob in logprobs(story)[1]]
    n_bytes = sum(map(len, STORIES))
    assert (scores["stories"], scores["tokens"], scores["bytes"]) == (3, len(expected), n_bytes)
    assert scores["nats_a_token"] == pytest.approx(-sum(expected) / len(expected), rel=1e-6)
    assert scores["perplexity"] == pytest.approx(math.exp(scores["nats_a_token"]), rel=1e-6)
    assert scores["bits_a_byte"] == pytest.approx(-sum(expected) / math.log(2) / n_bytes, rel=1e-6)
    assert scores["file"] == str(path)


def test_a_shard_of_the_same_stories_scores_the_same(score, logprobs, tmp_path):
    tokens = [token for story in STORIES for token in logprobs(story)[0]]
    np.array(tokens, dtype="<u2").tofile(tmp_path / "data00.bin")
    (tmp_path / "stories.txt").write_text("<|endoftext|>".join(STORIES))
    shard, text = score(tmp_path / "data00.bin"), score(tmp_path / "stories.txt")
    same = ("stories", "tokens", "bytes", "nats_a_token", "bits_a_byte")
    assert {key: shard[key] for key in same} == {key: text[key] for key in same}
    (tmp_path / "data00.bin").rename(tmp_path / "shard")
    assert score(tmp_path / "shard", "--format", "shard")["tokens"] == shard["tokens"]


def test_a_story_longer_than_the_context_is_scored_whole(score, run, real_data, tmp_path):
    """Every token counts once, the first window as if it were all; more context can not make a text much less likely."""
    text = " ".join((real_data / "tinystories-valid.txt").read_text(encoding="utf-8").split("<|endoftext|>")[:4])
    path = tmp_path / "long.txt"
    path.write_text(text)
    tokens = json.loads(run("-i", text.strip(), "--json", "-n", "0").stdout)
    assert tokens["stop"] == "context"
    scores = score(path)
    assert scores["stories"] == 1
    assert scores["tokens"] > 512
    assert scores["nats_a_token"] == pytest.approx(1.3, abs=0.3)


def test_people_get_a_table(run, tmp_path):
    (tmp_path / "one.txt").write_text("Once upon a time")
    lines = run("--perplexity", tmp_path / "one.txt").stdout.splitlines()
    assert [line[:22].rstrip() for line in lines] == [
        "file", "stories", "tokens", "bytes", "nats a token", "perplexity", "bits a byte", "seconds", "tokens per second",
    ]  # fmt: skip
    assert lines[1].split() == ["stories", "1"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.txt", b" \n<|endoftext|>\n", "has nothing to score; stories are needed"),
        ("odd.bin", b"\1\0\2", "is no shard: it has 3 bytes, and a shard is uint16 tokens, the first of which is 1; --format text scores a text"),
        ("text.bin", b"Once", "is no shard: it has 4 bytes, and a shard is uint16 tokens, the first of which is 1; --format text scores a text"),
        ("other.bin", b"\1\0\3\0\0\2", "token 512 at 2 is outside the model's vocabulary of 512; take a shard of its tokenizer"),
        ("gone.txt", None, "can not be opened: No such file or directory"),
    ],
)  # fmt: skip
def test_what_can_not_be_scored_is_named_with_its_reason(run, tmp_path, name, data, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    done = run("--perplexity", tmp_path / name)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"run: {tmp_path / name}: {message}\n")

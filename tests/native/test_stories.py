"""Many stories at once: each is what its seed tells alone, in order, for people and as JSON."""

from __future__ import annotations

import json
import math
import subprocess

import pytest

pytestmark = pytest.mark.parametrize("build", ["gcc-sanitized"], indirect=True)


@pytest.fixture
def run(build, real_data):
    files = [real_data / "stories260K/stories260K.bin", "-z", real_data / "stories260K/tok512.bin"]

    def run(*arguments, stdin=b"", stderr=b"achieved tok/s: "):
        command = [build.program(), *files, *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(stderr)
        return done.stdout.decode()

    return run


def stories(output):
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("width", [[], ["--batch", "1"], ["--batch", "3"]])
def test_each_is_what_its_seed_tells_alone(run, width):
    alone = [run("-s", seed, "-n", "60") for seed in range(7, 12)]
    assert run("-s", "7", "-n", "60", "--count", "5", *width) == "---\n".join(alone)


def test_one_is_printed_as_without_count(run):
    assert run("-s", "7", "--count", "1") == run("-s", "7")


def test_a_story_that_ends_early_gives_its_place_to_the_next(run):
    """The first of these seeds whose story ends before the context does makes room in a batch of two."""
    told = stories(run("-n", "0", "--json", "-s", "1", "--count", "6", "--batch", "2"))
    assert [story["stop"] for story in told].count("story") > 0
    assert [story["text"] + "\n" for story in told] == [run("-n", "0", "-s", seed) for seed in range(1, 7)]


def test_every_line_of_a_file_is_a_prompt(run, tmp_path):
    (tmp_path / "prompts").write_bytes(b"One day\r\n\nThe cat")
    wanted = [run("-n", "20", "-s", seed, "-i", prompt) for seed, prompt in ((3, "One day"), (4, ""), (5, "The cat"))]
    assert run("-n", "20", "-s", "3", "--prompts", tmp_path / "prompts") == "---\n".join(wanted)
    assert run("-n", "20", "-s", "3", "--prompts", "-", stdin=b"One day\n\nThe cat\n") == "---\n".join(wanted)
    told = stories(run("-n", "20", "-s", "3", "--prompts", tmp_path / "prompts", "--count", "2", "--json"))
    assert [(story["index"], story["seed"], story["prompt"]) for story in told] == [
        (index, 3 + index, ("One day", "", "The cat")[index // 2]) for index in range(6)
    ]


def test_json_tells_all_of_a_story(run, real_data):
    text = run("-n", "12", "-s", "5", "-i", "Once\nupon")
    (story,) = stories(run("-n", "12", "-s", "5", "-i", "Once\nupon", "--json"))
    assert list(story) == [
        "index", "seed", "prompt", "text", "tokens", "prompt_tokens", "stop", "seconds", "tokens_per_second",
    ]  # fmt: skip
    assert (story["index"], story["seed"], story["prompt"]) == (0, 5, "Once\nupon")
    assert story["text"] + "\n" == text
    assert story["tokens"][0] == 1
    assert len(story["tokens"]) == 13
    assert story["prompt_tokens"] < 13
    assert story["stop"] == "steps"
    assert story["tokens_per_second"] == pytest.approx(12 / story["seconds"], rel=1e-6)
    assert stories(run("-n", "0", "-s", "5", "-t", "0", "--json"))[0]["stop"] in {"story", "context"}
    assert stories(run("-n", "3", "-i", "Once upon a time", "--json"))[0]["prompt_tokens"] == 4


def test_logprobs_are_those_of_the_model(run):
    """Where two stories part, the one at temperature 0 went on with the likelier token."""
    (greedy,) = stories(run("-n", "20", "-t", "0", "--json", "--logprobs"))
    (other,) = stories(run("-n", "20", "-s", "3", "-t", "2", "-p", "0", "--json", "--logprobs"))
    for story in (greedy, other):
        assert story["logprobs"][0] is None
        assert len(story["logprobs"]) == len(story["tokens"])
        assert all(logprob <= 0 for logprob in story["logprobs"][1:])
    parting = next(
        i for i, pair in enumerate(zip(greedy["tokens"], other["tokens"], strict=False)) if len({*pair}) == 2
    )
    assert greedy["logprobs"][:parting] == other["logprobs"][:parting]
    assert greedy["logprobs"][parting] > other["logprobs"][parting]
    assert math.exp(greedy["logprobs"][parting]) > 1 / 512


def test_seeds_do_not_pass_the_last_one(build, real_data):
    files = [real_data / "stories260K/stories260K.bin", "-z", real_data / "stories260K/tok512.bin"]
    command = [build.program(), *files, "-s", "-2", "--count", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "run: -s: the seeds of 3 stories pass the last one, 18446744073709551615; begin with a smaller one\n"
    )


def test_a_file_without_prompts_is_refused(build, real_data, tmp_path):
    (tmp_path / "empty").touch()
    files = [real_data / "stories260K/stories260K.bin", "-z", real_data / "stories260K/tok512.bin"]
    command = [build.program(), *files, "--prompts", tmp_path / "empty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"run: {tmp_path / 'empty'}: has no lines; write one prompt a line\n"

"""The golden texts, byte for byte, with whatever arithmetic this processor has, on one thread and on several."""

from __future__ import annotations

import json
import subprocess

import pytest

ALONE = ["--threads", "1"]
TOGETHER = ["--threads", "2"]


def run(build, *arguments):
    return subprocess.run([build.program(), *arguments], capture_output=True, check=False)


@pytest.fixture
def golden(real_data):
    lines = (real_data / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 16
    return [json.loads(line) for line in lines]


@pytest.fixture(params=["portable", "neon", "avx2", "avx512"])
def kernels(build, real_data, request):
    options = ["--kernels", request.param, "--info"]
    done = run(build, real_data / "tok105/model5000.bin", "-z", real_data / "tok105/tok105.bin", *options)
    if b"there are no kernels" in done.stderr:
        pytest.skip(f"this processor can not compute with {request.param}")
    assert done.returncode == 0
    return request.param


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
@pytest.mark.parametrize("threads", [ALONE, TOGETHER], ids=["alone", "together"])
def test_every_arithmetic_tells_the_golden_stories(build, real_data, golden, kernels, threads):
    for line in golden:
        files = [real_data / line["model"], "-z", real_data / line["tokenizer"]]
        done = run(build, *files, *line["args"], "--kernels", kernels, *threads)
        assert (done.stdout, done.returncode) == (line["text"].encode(), 0)


@pytest.mark.parametrize("build", ["clang-optimized"], indirect=True)
@pytest.mark.parametrize("threads", [ALONE, TOGETHER], ids=["alone", "together"])
def test_exact_sums_tell_the_golden_stories(build, real_data, golden, threads):
    for line in golden:
        files = [real_data / line["model"], "-z", real_data / line["tokenizer"]]
        done = run(build, *files, *line["args"], "--exact", *threads)
        assert (done.stdout, done.returncode) == (line["text"].encode(), 0)


@pytest.mark.parametrize("build", ["gcc-optimized"], indirect=True)
def test_int8_tells_the_same_story_on_any_number_of_threads(build, real_data, golden, kernels):
    for line in golden:
        files = [real_data / line["model"], "-z", real_data / line["tokenizer"]]
        told = [run(build, *files, *line["args"], "-q", "int8", "--kernels", kernels, *n) for n in (ALONE, TOGETHER)]
        assert told[0].stdout == told[1].stdout
        assert [done.returncode for done in told] == [0, 0]

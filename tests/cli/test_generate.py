"""``tsws generate``: a story through both engines, as text and as JSON."""

from __future__ import annotations

import json
import shutil

import pytest

PLAIN = ("generate", "Once upon a time", "--no-pretty", "-n", "24")


def test_same_seed_tells_the_same_story(applied) -> None:
    first, second, other = (applied.run(*PLAIN, "--seed", seed) for seed in ("5", "5", "6"))
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("Once upon a time")
    assert first.out.endswith("\n")
    assert first.out == second.out
    assert first.out != other.out


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_seed_0_is_a_seed_like_any_other(applied, engine: str) -> None:
    told = [json.loads(applied.run(*PLAIN, "--engine", engine, "--json", "--seed", seed).out) for seed in "0012"]
    assert [one["seed"] for one in told] == [0, 0, 1, 2]
    assert told[0]["text"] == told[1]["text"]
    assert len({one["text"] for one in told}) == 3


def test_without_a_seed_stories_differ(applied) -> None:
    assert len({applied.run(*PLAIN).out for _ in range(3)}) > 1


def test_several_stories_have_seeds_that_follow(applied) -> None:
    one, two = (applied.run(*PLAIN, "--seed", seed).out for seed in ("5", "6"))
    assert applied.run(*PLAIN, "--seed", "5", "--count", "2").out == f"{one}---\n{two}"


def test_json_is_an_object_a_line_and_story(applied) -> None:
    result = applied.run(*PLAIN, "--seed", "5", "--count", "2", "--json")
    first, second = (json.loads(line) for line in result.out.splitlines())
    assert first.pop("seconds") >= 0
    assert first.pop("tokens_per_second") > 0
    assert first == {
        "prompt": "Once upon a time",
        "text": applied.run(*PLAIN, "--seed", "5").out.removesuffix("\n"),
        "seed": 5,
        "stop": "steps",
        "run": None,
        "model": None,
        "engine": "native",
        "temperature": 1.0,
        "top_p": 0.9,
        "steps": 24,
    }
    assert second["seed"] == 6


@pytest.mark.parametrize("count", ["2", "3"])
def test_many_stories_from_seed_0_are_those_that_are_told_alone(applied, count: str) -> None:
    told = applied.run(*PLAIN, "--seed", "0", "--count", count).out
    assert told == "---\n".join(applied.run(*PLAIN, "--seed", str(seed)).out for seed in range(int(count)))


def test_threads_and_precision_are_the_native_programs(applied) -> None:
    plain = applied.run(*PLAIN, "--seed", "5")
    assert applied.run(*PLAIN, "--seed", "5", "--threads", "2") == plain
    small = applied.run(*PLAIN, "--seed", "5", "--quantize", "int8")
    assert (small.status, small.err) == (0, "")
    assert applied.run(*PLAIN, "--seed", "5", "--count", "2", "--quantize", "int8").out.startswith(f"{small.out}---\n")
    refused = applied.run(*PLAIN, "--engine", "torch", "--threads", "2")
    assert (refused.status, refused.out, refused.err) == (
        2,
        "",
        "error: the engine torch can not be told the threads\n"
        'hint: leave it out, or play with the program of source = "native"\n',
    )


def test_torch_tells_several_stories_too(applied) -> None:
    one, two = (applied.run(*PLAIN, "--engine", "torch", "--seed", seed).out for seed in ("5", "6"))
    assert applied.run(*PLAIN, "--engine", "torch", "--seed", "5", "--count", "2").out == f"{one}---\n{two}"
    told = json.loads(applied.run(*PLAIN, "--engine", "torch", "--seed", "5", "--json").out)
    assert (told["text"] + "\n", told["tokens_per_second"], told["stop"]) == (one, None, None)


def test_greedy_story_is_the_same_through_both_engines(applied) -> None:
    native, torch = (applied.run(*PLAIN, "-t", "0", "--engine", engine).out for engine in ("native", "torch"))
    assert native == torch


def test_model_file_needs_no_run(applied) -> None:
    elsewhere = applied.root.parent / "elsewhere.bin"
    shutil.copy(applied.root / "out/tiny/model.bin", elsewhere)
    by_run = applied.run(*PLAIN, "--seed", "5", "--run", "tiny").out
    assert applied.run(*PLAIN, "--seed", "5", "--model", str(elsewhere)).out == by_run
    named = ("--model", str(elsewhere), "--tokenizer", str(applied.root / "small.bin"))
    assert applied.run(*PLAIN, "--seed", "5", *named).out == by_run


def test_nothing_to_play_says_what_makes_it(project) -> None:
    new = project()
    result = new.run("generate")
    assert (result.status, result.out, result.err) == (
        1,
        "",
        f"error: run.tiny can not be played: {new.root}/out/tiny/model.bin does not exist\n"
        "hint: `tsws apply run.tiny` makes it\n",
    )


def test_model_that_is_neither_file_nor_name_says_what_to_name(project) -> None:
    new = project()
    result = new.run("generate", "--model", "nope.bin")
    assert (result.status, result.err) == (
        2,
        "error: there is no model file nope.bin\n"
        "hint: name the path of a model.bin; `--run NAME` plays what a run has trained\n",
    )
    new.edit("[run.tiny]", '[model.done]\nsource = "elsewhere.bin"\ntokenizer = "small"\n\n[run.tiny]')
    assert new.run("generate", "--model", "nope.bin").err.endswith("\nhint: finished models of the manifest: done\n")


def test_wrong_temperature_is_wrong_usage(project) -> None:
    result = project().run("generate", "-t", "-1")
    assert (result.status, result.err) == (
        2,
        "error: Invalid value for '-t': -1.0 is not in the range x>=0.\nhint: `tsws generate --help` shows what there is\n",
    )

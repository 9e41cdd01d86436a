from __future__ import annotations

import io
import json
import os
import signal
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsws.engine import Manner, fits_argument, play, play_many
from tsws.engine.running import _decoded
from tsws.errors import TswsError

NOWHERE = Path("nowhere.bin")


@pytest.fixture
def baby(real_data):
    return real_data / "tok105/model5000.bin", real_data / "tok105/tok105.bin"


@pytest.fixture
def small(real_data):
    return real_data / "stories260K/stories260K.bin", real_data / "stories260K/tok512.bin"


def text_of(program, files=(NOWHERE, NOWHERE), **options):
    pieces = list(play(program, *files, **split(options)))
    assert "" not in pieces
    return "".join(pieces)


def split(options):
    """Options as the functions take them: how to tell a story goes into one value."""
    manner = {key: options.pop(key) for key in [one.name for one in fields(Manner)] if key in options}
    return {**options, "manner": Manner(**manner)}


def golden_options(arguments):
    names = {"-t": ("temperature", float), "-p": ("top_p", float), "-n": ("steps", int), "-s": ("seed", int)}
    options = {}
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        key, convert = names.get(name, ("prompt", str))
        options[key] = convert(value)
    return options


def test_golden_texts(program, real_data):
    lines = [json.loads(line) for line in (real_data / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 16
    for line in lines:
        files = real_data / line["model"], real_data / line["tokenizer"]
        assert text_of(program, files, **golden_options(line["args"])) + "\n" == line["text"]


@pytest.mark.parametrize("prompt", ["-i", "--pretty", "", "$(exit 3) `exit 3` \"'\\", "tab\tand\nnewline", "café"])
def test_any_prompt_begins_the_text(program, small, prompt):
    assert text_of(program, small, prompt=prompt, temperature=0.0, steps=64).startswith(prompt.removesuffix("é"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(prompt=st.text(max_size=30), seed=st.integers(-(2**63), 2**63 - 1))
def test_no_prompt_and_no_seed_fails(program, small, prompt, seed):
    text_of(program, small, prompt=prompt, seed=seed, steps=8)


def test_a_prompt_with_a_nul_or_of_any_length_goes_through(program, small):
    assert text_of(program, small, prompt="One\0 day", temperature=0.0, steps=16).startswith("One day")
    assert text_of(program, small, prompt="One day " * 40_000, temperature=0.0, steps=8).startswith("One day One")


def test_pretty_shows_unk_as_a_newline(program, baby):
    assert text_of(program, baby, prompt="a\nb", steps=6).startswith("a<unk>b")
    assert text_of(program, baby, prompt="a\nb", steps=6, pretty=True).startswith("a\nb")


def test_only_the_closing_newline_is_left_out(script):
    assert text_of(script("lines", 'print("a\\n\\nb\\n\\n")\n')) == "a\n\nb\n\n"
    assert text_of(script("bare", 'print("a", end="")\n')) == "a"
    assert text_of(script("nothing", "print()\n")) == ""


def test_characters_may_come_in_parts():
    class OneByteAtATime(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(1)

    whole = "a—b".encode()
    assert list(_decoded(OneByteAtATime(whole))) == ["a", "—", "b"]
    assert "".join(_decoded(OneByteAtATime(whole + b"\xff" + whole[:2]))) == "a—b�a�"


def test_text_comes_while_the_program_still_runs(script, tmp_path):
    """The program goes on only when its first words have been read."""
    os.mkfifo(tmp_path / "heard")
    program = script(
        "talker", f'print("first", flush=True)\nopen({str(tmp_path / "heard")!r}).read()\nprint(" second")\n'
    )
    pieces = play(program, NOWHERE, NOWHERE)
    assert next(pieces) == "first"
    (tmp_path / "heard").write_text("yes")
    assert "".join(pieces) == "\n second"


def test_closing_ends_the_program(script):
    program = script("endless", 'print(os.getpid(), flush=True)\nsignal = __import__("signal")\nsignal.pause()\n')
    pieces = play(program, NOWHERE, NOWHERE)
    process = int(next(pieces))
    os.kill(process, 0)
    pieces.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_the_arguments_are_those_of_llama2c(script):
    program = script("show", 'print("|".join(sys.argv[1:]))\n')
    assert text_of(program, (Path("m.bin"), Path("t.bin")), prompt="Once", seed=3) == (
        "m.bin|-t|1.0|-p|0.9|-n|256|-z|t.bin|-s|3|-i|Once"
    )
    assert text_of(program, (Path("m.bin"), Path("t.bin")), temperature=0, top_p=1, steps=0, pretty=True) == (
        "m.bin|-t|0.0|-p|1.0|-n|0|-z|t.bin|--pretty|-i|"
    )


def test_what_only_the_native_program_knows_is_passed_when_asked_for(script):
    program = script("show", 'print("|".join(sys.argv[1:]))\n')
    files = Path("m.bin"), Path("t.bin")
    assert text_of(program, files, threads=0, precision="int8").endswith("|--threads|0|-q|int8|-i|")


def many(program, files, **options):
    return list(play_many(program, *files, **split(options)))


def test_many_stories_are_those_that_are_told_alone(program, small):
    told = many(program, small, prompt="Once\nupon — a", seed=7, count=5, steps=50)
    alone = [text_of(program, small, prompt="Once\nupon — a", seed=seed, steps=50) for seed in range(7, 12)]
    assert [story.text for story in told] == alone
    assert [(story.prompt, story.seed) for story in told] == [("Once\nupon — a", seed) for seed in range(7, 12)]
    assert {story.stop for story in told} <= {"story", "steps"}
    assert all(story.seconds > 0 and story.tokens_per_second > 0 for story in told)


def test_many_stories_can_be_left_early_and_fail_with_the_programs_words(program, baby, small):
    stories = play_many(program, *small, seed=7, count=3, manner=Manner(steps=4))
    assert next(stories).seed == 7
    stories.close()
    with pytest.raises(TswsError) as caught:
        many(program, (small[0], baby[1]), seed=7, count=3)
    assert "this tokenizer has 105 pieces" in caught.value.message


@pytest.mark.parametrize(
    ("prompt", "fits"), [("", True), ("a" * 100_000, True), ("é" * 50_001, False), ("a\0b", False)]
)
def test_a_prompt_fits_an_argument_when_it_is_short_and_has_no_nul(prompt, fits):
    assert fits_argument(prompt) == fits


def test_a_program_without_a_folder_is_not_looked_for_elsewhere(script, tmp_path, monkeypatch):
    script("ls", 'print("here")\n')
    monkeypatch.chdir(tmp_path)
    assert text_of(Path("ls")) == "here"


def test_a_failure_has_the_programs_own_message(program, baby, small):
    with pytest.raises(TswsError) as caught:
        text_of(program, (NOWHERE, NOWHERE))
    assert caught.value.message == "nowhere.bin: can not be opened: No such file or directory"
    with pytest.raises(TswsError) as caught:
        text_of(program, (small[0], baby[1]))
    assert caught.value.message == (
        f"{baby[1]}: this tokenizer has 105 pieces, but the model {small[0]} has a vocabulary of 512"
    )


def test_what_came_before_a_failure_is_kept(script):
    pieces = play(script("torn", 'print("half", flush=True)\nsys.exit("run: no more")\n'), NOWHERE, NOWHERE)
    assert next(pieces) == "half"
    with pytest.raises(TswsError) as caught:
        next(pieces)
    assert caught.value.message == "no more"


def test_a_failure_without_words_still_has_a_message(script):
    program = script("mute", "sys.exit(9)\n")
    with pytest.raises(TswsError) as caught:
        text_of(program)
    assert caught.value.message == f"{program} failed with exit status 9 and no message"
    assert caught.value.hint == (
        "check the model and the tokenizer that it was given, or play them with `tsws generate --engine torch`"
    )


def test_a_crash_names_the_signal(script):
    program = script("crash", f"os.kill(os.getpid(), {int(signal.SIGKILL)})\n")
    with pytest.raises(TswsError) as caught:
        text_of(program)
    assert caught.value.message == f"{program} was ended by SIGKILL"
    assert caught.value.hint == "if it was built on another machine, build it again on this one"


def test_a_missing_program_is_named(tmp_path):
    with pytest.raises(TswsError) as caught:
        text_of(tmp_path / "gone")
    assert caught.value.message.startswith(f"{tmp_path / 'gone'} could not be started: ")
    assert caught.value.hint == "build the program again on this machine"


def test_much_noise_does_not_stop_the_text(script):
    program = script("noisy", 'sys.stderr.write("x" * 1_000_000)\nprint("a story")\n')
    assert text_of(program) == "a story"

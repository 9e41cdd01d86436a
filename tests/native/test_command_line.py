"""``run`` from outside: the golden texts, what goes where, what is refused and how."""

from __future__ import annotations

import json
import socket
import subprocess
import threading

import pytest

USAGE_BEGINS = "Usage:   run <checkpoint> [options]"
AGAIN = "; run --help tells how\n"


@pytest.fixture
def files(real_data):
    return [real_data / "tok105/model5000.bin", "-z", real_data / "tok105/tok105.bin"]


def run(build, *arguments, stdin=b""):
    return subprocess.run([build.program(), *arguments], input=stdin, capture_output=True, check=False)


def test_golden_texts(build, real_data):
    lines = [json.loads(line) for line in (real_data / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 16
    for line in lines:
        done = run(build, real_data / line["model"], "-z", real_data / line["tokenizer"], *line["args"])
        assert done.stdout == line["text"].encode()
        assert done.returncode == 0
        assert done.stderr.startswith(b"achieved tok/s: ")


gcc_only = pytest.mark.parametrize("build", ["gcc-sanitized"], indirect=True)


@gcc_only
def test_each_token_is_written_when_it_is_chosen(build, files):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # keeps writes apart
    with ours, theirs:
        pieces: list[bytes] = []

        def read() -> None:
            while piece := ours.recv(4096):
                pieces.append(piece)

        reader = threading.Thread(target=read)
        reader.start()
        arguments = [*files, "-t", "0", "-n", "12", "-i", "Once"]
        subprocess.run([build.program(), *arguments], stdout=theirs, stderr=subprocess.DEVNULL, check=True)
        theirs.shutdown(socket.SHUT_WR)
        reader.join()
    assert pieces == [b"O", b"n", b"c", b"e", b" ", b"u", b"p", b"o", b"n", b" ", b"a", b"\n"]


@gcc_only
def test_steps_are_limited_by_the_context(build, files):
    whole = run(build, *files, "-t", "0", "-n", "0").stdout
    assert len(whole) == 256  # the first of 256 tokens is a space that is not shown, and a newline closes
    assert run(build, *files, "-t", "0", "-n", "100000").stdout == whole
    assert run(build, *files, "-t", "0", "-n", "1").stdout == b"\n"


@gcc_only
def test_a_prompt_longer_than_the_steps_is_cut(build, files):
    assert run(build, *files, "-n", "5", "-i", "Once upon a time").stdout == b"Once\n"


@gcc_only
def test_the_same_seed_gives_the_same_text_and_another_another(build, files):
    texts = [run(build, *files, "-n", "64", "-s", seed).stdout for seed in ("5", "5", "6")]
    assert texts[0] == texts[1] != texts[2]


@gcc_only
def test_a_prompt_may_come_from_a_file_or_standard_input(build, files, tmp_path):
    (tmp_path / "prompt").write_bytes(b"One day")
    wanted = run(build, *files, "-t", "0", "-n", "40", "-i", "One day").stdout
    assert run(build, *files, "-t", "0", "-n", "40", "--prompt-file", tmp_path / "prompt").stdout == wanted
    assert run(build, *files, "-t", "0", "-n", "40", "--prompt-file", "-", stdin=b"One day").stdout == wanted
    missing = run(build, *files, "--prompt-file", tmp_path / "missing")
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert missing.stderr.decode() == f"run: {tmp_path / 'missing'}: can not be opened: No such file or directory\n"


@gcc_only
def test_pretty_shows_unk_as_a_newline(build, files, real_data):
    plain = run(build, *files, "-n", "12", "-i", "a\nb")
    pretty = run(build, *files, "-n", "12", "-i", "a\nb", "--pretty", "-s", "1")
    assert plain.stdout.startswith(b"a<unk>b")
    assert pretty.stdout.startswith(b"a\nb")
    files260k = [real_data / "stories260K/stories260K.bin", "-z", real_data / "stories260K/tok512.bin"]
    assert run(build, *files260k, "-n", "5", "-i", "a\nb").stdout.startswith(b"a\nb")


@gcc_only
def test_chat_takes_turns_until_the_input_ends(build, files):
    first = run(build, *files, "-m", "chat", "-t", "0", "-n", "64", stdin=b"Be nice\nHello\n")
    assert first.returncode == 0
    assert first.stderr == b""
    assert first.stdout.startswith(b"Enter system prompt (optional): User: Assistant: ")
    given = run(build, *files, "-m", "chat", "-t", "0", "-n", "64", "-y", "Be nice", "-i", "Hello")
    assert given.stdout == first.stdout.removeprefix(b"Enter system prompt (optional): User: ")
    assert run(build, *files, "-m", "chat").stdout == b"Enter system prompt (optional): User: \n"


@gcc_only
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m", "-t"], "run: -t needs a value"),
        (["m", "-x", "1"], "run: unknown option: -x"),
        (["m", "once"], "run: unknown option: once"),
        (["m", "-m", "dream"], "run: unknown mode: dream"),
        (["m", "--count", "2x"], "run: --count 2x: expected a whole number from 1 to 1000000"),
        (["m", "-q", "int4"], "run: -q int4: expected int8 or float32"),
        (["m", "--info", "--bench"], "run: --bench: only one thing can be done at a time"),
    ],
)
def test_wrong_usage_is_told_in_one_line(build, arguments, message):
    done = run(build, *arguments)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", message + AGAIN)


@gcc_only
def test_without_arguments_it_shows_the_usage(build):
    done = run(build)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines()[:2] == [f"run: no checkpoint is given{AGAIN}".rstrip(), USAGE_BEGINS]
    asked = run(build, "--help")
    assert (asked.returncode, asked.stderr) == (0, b"")
    assert asked.stdout.decode().splitlines()[0] == USAGE_BEGINS


@gcc_only
def test_a_broken_file_is_named_with_its_reason(build, real_data, tmp_path):
    model = tmp_path / "cut.bin"
    tokenizer = real_data / "tok105/tok105.bin"
    whole = (real_data / "tok105/model5000.bin").read_bytes()
    header = "dim 128, hidden_dim 352, n_layers 5, n_heads 8, n_kv_heads 4, vocab_size 105, seq_len 256"
    cases = {
        whole[:-1]: f"the file has {len(whole) - 1} bytes, but its header asks for {len(whole)} ({header})",
        whole[:27]: "the file ends inside its header, after 27 of 28 bytes",
        b"": "the file is empty",
    }
    for data, reason in cases.items():
        model.write_bytes(data)
        done = run(build, model, "-z", tokenizer)
        assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"run: {model}: {reason}\n")


@gcc_only
def test_a_tokenizer_of_another_vocabulary_is_refused_by_name(build, real_data):
    model, tokenizer = real_data / "stories260K/stories260K.bin", real_data / "tok105/tok105.bin"
    done = run(build, model, "-z", tokenizer)
    message = f"run: {tokenizer}: this tokenizer has 105 pieces, but the model {model} has a vocabulary of 512\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", message)


@gcc_only
def test_a_tokenizer_that_was_not_named_is_asked_for(build, real_data, tmp_path):
    command = [build.program(), real_data / "tok105/model5000.bin"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == (
        "run: tokenizer.bin: can not be opened: No such file or directory; name the model's tokenizer with -z\n"
    )
    (tmp_path / "tokenizer.bin").write_bytes((real_data / "tok105/tok105.bin").read_bytes())
    command += ["-t", "0", "-n", "4"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Onc\n")


@gcc_only
def test_info_tells_what_the_header_says(build, real_data):
    model = real_data / "stories260K/stories260K.bin"
    info = json.loads(run(build, model, "--info", "--json").stdout)
    lines = run(build, model, "--info").stdout.decode().splitlines()
    assert [line[:22].rstrip() for line in lines] == [key.replace("_", " ") for key in info]
    assert lines[1:3] == ["file version          0", "dim                   64"]
    expected = {
        "model": str(model),
        "file_version": 0,
        "dim": 64,
        "hidden_dim": 172,
        "n_layers": 5,
        "n_heads": 8,
        "n_kv_heads": 4,
        "vocab_size": 512,
        "max_seq_len": 512,
        "shared_classifier": True,
        "parameters": 260032,
        "stored_as": "float32",
        "group_size": 0,
        "precision": "float32",
        "cache_bytes": 5 * 2 * 32 * 512 * 4,
    }
    assert {key: info[key] for key in expected} == expected
    assert info["weight_bytes"] >= info["parameters"] * 4
    assert info["peak_resident_bytes"] >= info["weight_bytes"]
    assert info["threads"] >= 1
    assert info["kernels"]


@gcc_only
def test_the_arithmetic_can_be_chosen(build, files):
    info = json.loads(run(build, files[0], "--info", "--json", "-q", "int8", "--kernels", "portable").stdout)
    assert (info["stored_as"], info["precision"], info["kernels"]) == ("float32", "int8", "portable")
    assert json.loads(run(build, files[0], "--info", "--json", "--threads", "2").stdout)["threads"] == 2
    assert json.loads(run(build, files[0], "--info", "--json", "--exact").stdout)["kernels"] == "portable"
    done = run(build, files[0], "--info", "--kernels", "abacus")
    assert (done.returncode, done.stdout) == (1, b"")
    assert "abacus" in done.stderr.decode()


@gcc_only
def test_bench_measures_prompts_and_stories_by_threads(build, files):
    arguments = [files[0], "--bench", "--rounds", "1", "-n", "3", "--threads", "1"]
    rows = [json.loads(line) for line in run(build, *arguments, "--json").stdout.splitlines()]
    assert [(row["work"], row["streams"], row["threads"], row["tokens"]) for row in rows] == [
        ("prompt", 1, 1, 3),
        *(("story", streams, 1, 3) for streams in (1, 2, 4, 8, 16, 32)),
    ]
    assert all(row["tokens_per_second"] > 0 for row in rows)
    table = run(build, *arguments).stdout.decode().splitlines()
    assert table[1:4] == [
        "tokens a second, 3 tokens a stream, medians of 1",
        "",
        "threads       prompt     1 at once     2 at once     4 at once     8 at once    16 at once    32 at once",
    ]
    assert [len(row.split()) for row in table[4:]] == [8]


@gcc_only
def test_a_full_disk_is_an_error(build, files):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [build.program(), *files, "-n", "4"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "run: standard output: can not be written: No space left on device"

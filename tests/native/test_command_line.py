"""``run`` from outside: the golden texts, what goes where, what is refused and how."""

from __future__ import annotations

import json
import socket
import subprocess
import threading

import pytest

USAGE_BEGINS = "Usage:   run <checkpoint> [options]"


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
        ([], "run: no checkpoint is given"),
        (["m", "-t"], "run: -t needs a value"),
        (["m", "-q", "1"], "run: unknown option: -q"),
        (["m", "once"], "run: unknown option: once"),
        (["m", "-m", "dream"], "run: unknown mode: dream"),
    ],
)
def test_wrong_usage_shows_the_usage(build, arguments, message):
    done = run(build, *arguments)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines()[:2] == [message, USAGE_BEGINS]


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
def test_a_full_disk_is_an_error(build, files):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [build.program(), *files, "-n", "4"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "run: standard output: can not be written: No space left on device"

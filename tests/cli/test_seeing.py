"""The commands that show how a run went: report, plot, compare, eval."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest


def metrics(root: Path) -> list[dict]:
    return [json.loads(line) for line in (root / "out/tiny/metrics.jsonl").read_text().splitlines()]


def numbers(page: Path) -> list[dict]:
    """What the page draws."""
    (data,) = re.findall(r'id="runs">(.*?)</script>', page.read_text(), re.DOTALL)
    return json.loads(data)


def test_the_numbers_of_a_report_are_those_of_the_metrics(applied) -> None:
    result = applied.run("report", "tiny")
    page = applied.root / "out/tiny/report.html"
    assert (result.status, result.out) == (0, f"{page}\n")
    assert numbers(page) == [{"label": "tiny", "lines": metrics(applied.root)}]


def test_a_report_shows_stories_settings_and_machine(applied) -> None:
    assert applied.run("report", "run.tiny", "-o", str(applied.root / "page.html")).status == 0
    text = (applied.root / "page.html").read_text()
    told = [json.loads(line) for line in (applied.root / "out/tiny/samples.jsonl").read_text().splitlines()]
    assert (
        [int(step) for step in re.findall(r"<span class=when>step (\d+)", text)]
        == [one["step"] for one in told]
        == [10, 20]
    )
    assert "train.learning_rate" in text
    assert "builtin:toy-stories" in text
    assert re.search(r"<th scope=row>torch</th><td>\d", text)
    assert re.search(r"<th scope=row>memory</th><td>\d+ MB of a process at its peak<", text)


def test_versions_and_files_are_laid_over_each_other(applied) -> None:
    assert applied.run("apply", "-y", "--set", "run.tiny.seed=7").status == 0
    first, second = (
        version.name
        for version in sorted((applied.root / ".tsws/runs/tiny").iterdir(), key=lambda one: one.stat().st_mtime)
    )
    file = applied.root / "out/tiny/metrics.jsonl"
    page = applied.root / "all.html"
    assert applied.run("report", f"tiny@{first}", f"tiny@{second[:5]}", str(file), "-o", str(page)).status == 0
    found = numbers(page)
    assert [one["label"] for one in found] == [f"tiny@{first}", f"tiny@{second}", str(file)]
    lines = [one["lines"] for one in found]
    assert lines[0] != lines[1] == lines[2]


@pytest.mark.parametrize("name", ["tiny@zzz", "nobody", "none/metrics.jsonl"])
def test_a_run_that_is_not_there_is_named(applied, name) -> None:
    result = applied.run("report", name)
    assert result.status > 0
    assert name.partition("@")[0] in result.err and "hint:" in result.err


def test_a_run_that_was_never_started_is_said_to_be_so(project) -> None:
    assert project().run("report", "tiny").err == (
        "error: run.tiny has not been started\nhint: `tsws apply run.tiny` trains it\n"
    )


def test_plot_draws_a_picture(applied, monkeypatch) -> None:
    monkeypatch.chdir(applied.root)
    assert applied.run("plot", "tiny").out == "loss.png\n"
    assert (applied.root / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert applied.run("plot", "tiny", "-x", "time", "--log", "-o", "loss.svg").status == 0
    assert "<svg" in (applied.root / "loss.svg").read_text()


def test_plot_without_matplotlib_says_what_to_install(applied, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert applied.run("plot", "tiny").err == (
        "error: tsws plot needs matplotlib, which is not installed\n"
        "hint: pip install 'tsws[plot]'; `tsws report` draws without it\n"
    )


def test_compare_names_what_differs_and_the_losses(applied) -> None:
    result = applied.run("compare", "tiny", str(applied.root / "out/tiny/metrics.jsonl"))
    assert result.status == 0
    losses = [line["val_loss"] for line in metrics(applied.root) if "val_loss" in line]
    rows = result.out.partition("validation loss by steps\n")[2].partition("\n\n")[0].splitlines()[1:]
    assert [row.split() for row in rows] == [
        [str(step), f"{loss:.4f}", f"{loss:.4f}", "+0.0000"] for step, loss in zip((10, 20), losses, strict=True)
    ]


def test_compare_as_json(applied) -> None:
    document = json.loads(applied.run("compare", "tiny", "tiny", "--json").out)
    assert list(document) == ["labels", "settings", "facts", "losses", "races"]
    assert (document["settings"], document["facts"]) == ([], [])
    losses = [line for line in metrics(applied.root) if "val_loss" in line]
    assert document["losses"]["tokens"] == [
        {"place": line["tokens"], "first": line["val_loss"], "second": line["val_loss"]} for line in losses
    ]


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_the_loss_of_a_run_is_that_of_its_training(applied, engine) -> None:
    result = applied.run("eval", "tiny", "--stories", "2", "--engine", engine, "--json")
    document = json.loads(result.out)
    best = min(line["val_loss"] for line in metrics(applied.root) if "val_loss" in line)
    assert (document["model"], document["engine"]) == ("run.tiny", engine)
    assert document["scores"]["loss"] == pytest.approx(best, abs=1e-4)
    assert document["scores"]["tokens"] == 2048
    assert 0 < document["scores"]["bits_per_byte"] < 8
    assert document["stories"]["count"] == 2
    assert document["stories"]["unknown_words"] > 0


def test_eval_says_the_same_in_words(applied) -> None:
    arguments = ("eval", "tiny", "--stories", "3", "--tokens", "640", "--prompt", "Once")
    document = json.loads(applied.run(*arguments, "--json").out)
    lines = applied.run(*arguments).out.splitlines()
    assert lines[0] == "run.tiny, computed by native"
    assert f"  loss         {document['scores']['loss']:.4f} nats a token" in lines
    assert f"  predicted    640 tokens, {document['scores']['bytes']:,} bytes" in lines
    assert "3 stories" in lines
    assert f"  repetition     {document['stories']['repetition']:.1%}" in lines


def test_eval_of_a_text_with_a_model_file_needs_no_workspace(applied, tmp_path, monkeypatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    text = applied.root / "data/toy/valid.txt"
    files = {"--tokenizer": applied.root / "small.bin", "--data": text, "--train": applied.root / "data/toy/train.txt"}
    options = [str(word) for pair in files.items() for word in pair]
    model = str(applied.root / "out/tiny/model.bin")
    found = json.loads(
        type(applied)(Path()).run("eval", model, *options, "--stories", "1", "--tokens", "0", "--json").out
    )
    run = json.loads(applied.run("eval", "tiny", "--stories", "1", "--tokens", "0", "--json").out)
    assert found["scores"]["loss"] == pytest.approx(run["scores"]["loss"], abs=1e-9)
    assert found["scores"] | {"loss": 0} == pytest.approx(run["scores"] | {"loss": 0})
    assert found["stories"] == run["stories"]


def test_bytes_are_nearly_those_of_the_text(applied) -> None:
    scores = json.loads(applied.run("eval", "tiny", "--stories", "0", "--tokens", "0", "--json").out)["scores"]
    text = (applied.root / "data/toy/valid.txt").read_text()
    size = sum(len(story.strip().encode()) for story in text.split("<|endoftext|>"))
    assert scores["bytes"] == pytest.approx(size, rel=0.01)  # what is left after the last whole row is not predicted


def test_eval_without_the_tokens_says_how_to_get_them(applied) -> None:
    assert applied.run("clean", "-y").status == 0
    result = applied.run("eval", "tiny", "--stories", "0")
    assert result.err == (
        "error: the tokens that run.tiny is evaluated on are not on this machine\n"
        "hint: `tsws apply tokens.toy.small` makes them; or name a text: --data FILE\n"
    )


def test_eval_of_tokens_of_another_vocabulary_is_refused(applied) -> None:
    shard = applied.root / "other.bin"
    shard.write_bytes(b"\x01\x00\xff\x7f" * 100)
    result = applied.run("eval", "tiny", "--data", str(shard), "--stories", "0")
    assert "holds the token 32767, but the model knows 320" in result.err


def test_a_model_that_only_torch_plays_is_evaluated_too(applied) -> None:
    applied.edit("[model.tiny]\n", '[model.tiny]\narch = "gpt"\n')
    applied.edit("n_kv_heads = 2\n", "")
    assert applied.run("apply", "-y", "run.tiny", "export.tiny").status == 0
    document = json.loads(applied.run("eval", "tiny", "--stories", "2", "--json").out)
    best = min(line["val_loss"] for line in metrics(applied.root) if "val_loss" in line)
    assert (document["engine"], document["stories"]["count"]) == ("torch", 2)
    assert document["scores"]["loss"] == pytest.approx(best, abs=1e-4)


def test_real_models_have_the_losses_that_are_known_of_them(real_data, tmp_path, applied) -> None:
    losses, bits = [], []
    for model, tokenizer in (
        ("stories260K/stories260K.bin", "stories260K/tok512.bin"),
        ("tok105/model5000.bin", "tok105/tok105.bin"),
    ):
        text = str(real_data / "tinystories-valid.txt")
        files = ["--tokenizer", str(real_data / tokenizer), "--data", text, "--train", text]
        result = applied.run("eval", str(real_data / model), *files, "--tokens", "32768", "--stories", "4", "--json")
        document = json.loads(result.out)
        losses.append(document["scores"]["loss"])
        bits.append(document["scores"]["bits_per_byte"])
        assert document["stories"]["unknown_words"] < 0.2
        assert "unk" not in document["stories"]["unknown_examples"]
    assert losses == pytest.approx([1.297, 0.7366], abs=0.05)  # as published, on other stories
    assert bits == pytest.approx([0.89, 1.02], abs=0.03)

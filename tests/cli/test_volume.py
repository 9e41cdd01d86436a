"""A run in a volume: its record lies there, and is shown here."""

from __future__ import annotations

import json
import shutil

from masks import squeezed

from tests.cli.conftest import Project


def moved(applied: Project) -> Project:
    """The applied workspace, now the volume of a new one."""
    box = applied.root.rename(applied.root.with_name("box"))
    applied.root.mkdir()
    shutil.copy(box / "tinystories.toml", applied.root)
    applied.edit(
        "warmup_iters = 2", 'warmup_iters = 2\nvolume = "box"\n\n[volume.box]\nkind = "folder"\npath = "../box"'
    )
    return applied


def test_status_has_files_sizes_and_times_of_a_run_in_a_volume(applied) -> None:
    new = moved(applied)
    (row,) = (line for line in new.run("status").out.splitlines() if line.startswith("run.tiny  "))
    assert squeezed(row) == "run.tiny up to date out/tiny/metrics.jsonl, out/tiny/samples.jsonl SIZE MADE TOOK"
    (run,) = (one for one in json.loads(new.run("status", "--json").out)["resources"] if one["address"] == "run.tiny")
    there = json.loads((new.root.parent / "box/.tsws/state/run.tiny.json").read_text())
    assert (run["fingerprint"], run["made_at"]) == (there["fingerprint"], there["made_at"])
    assert [one["path"] for one in run["files"]] == [one["path"] for one in there["outputs"]]


def test_show_has_the_record_of_a_run_in_a_volume(applied) -> None:
    new = moved(applied)
    there = json.loads((new.root.parent / "box/.tsws/state/run.tiny.json").read_text())
    out = new.run("show", "run.tiny").out
    assert "\nfiles\n" in out
    assert there["fingerprint"] in out.partition("\nrecord\n")[2]


def test_a_model_in_a_volume_is_evaluated_where_it_is(applied) -> None:
    question = ["eval", "tiny", "--json", "--stories", "1", "--engine", "torch"]
    refused = applied.run(*question, "--remote")
    assert (refused.status, refused.err) == (
        2,
        "error: run.tiny works in no volume: its model is on this machine\nhint: leave --remote out to use it here\n",
    )
    at_home = json.loads(applied.run(*question).out)
    new = moved(applied)
    assert json.loads(new.run(*question, "--remote").out) == at_home
    assert not (new.root / "out").exists()

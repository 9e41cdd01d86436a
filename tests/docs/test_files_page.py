"""The page of the files, held against a workspace that was really applied."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import msgspec

from tests.docs.layout import FILES, patterns, unlisted
from tsws import Workspace
from tsws.fetch.lockfile import Pin
from tsws.job import Event, decode_event
from tsws.reconcile.record import OutputRecord, Record

RUN = ".tsws/runs/first"


def rows(heading: str) -> dict[str, str]:
    """First and second cell of each row of a section's table."""
    return dict(re.findall(r"^\| `(\w[\w.]*)` \| (.*?) \|", FILES.part(heading).text, re.MULTILINE))


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_file_of_a_workspace_is_named(applied: Path) -> None:
    assert unlisted(applied) == []
    assert len(patterns()) > 20


def test_a_record_has_the_keys_that_are_named(applied: Path) -> None:
    record = json.loads((applied / ".tsws/state/run.first.json").read_text())
    assert set(record) == set(Record.__struct_fields__)
    assert set(record["outputs"][0]) == set(OutputRecord.__struct_fields__)
    names = {f"keys {struct.__name__}" for struct in (Record, OutputRecord, Pin)}
    assert names <= {name for name, _ in FILES.generated()}


def test_a_checkpoint_has_the_files_and_the_state_that_are_named(applied: Path) -> None:
    shown = rows("## A version of a run")
    (version,) = (applied / RUN).iterdir()
    for checkpoint in (version / "checkpoints").iterdir():
        found = {path.name for path in checkpoint.iterdir()}
        assert found | {"best.safetensors"} == set(shown)
        assert set(json.loads((checkpoint / "manifest.json").read_text())["files"]) == found - {"manifest.json"}
        state = FILES.part("## A version of a run").text.partition("`state.json` has the keys")[2].partition(". ")[0]
        assert re.findall(r"`(\w+)`", state) == list(json.loads((checkpoint / "state.json").read_text()))


def test_every_file_of_a_version_is_named(applied: Path) -> None:
    (version,) = (applied / RUN).iterdir()
    text = FILES.part("## A version of a run").text
    files = [path.name for path in version.iterdir() if path.is_file()]
    assert [name for name in files if f"`{name}`" not in text] == []


def test_metrics_have_the_keys_that_are_named(applied: Path) -> None:
    shown = rows("## `metrics.jsonl`")
    training: set[str] = set()
    evaluation: set[str] = set()
    for line in lines(applied / "out/first/metrics.jsonl"):
        (evaluation if "val_loss" in line else training).update(line)
    assert training == {key for key, where in shown.items() if where in {"training", "both"}}
    assert evaluation == {key for key, where in shown.items() if where in {"evaluation", "both"}}


def test_events_of_a_real_job_are_of_the_kinds_that_are_named(applied: Path) -> None:
    (stream,) = (applied / ".tsws" / "jobs").glob("*/events.jsonl")
    kinds = {type(decode_event(line)) for line in stream.read_text().splitlines()}
    assert kinds < set(Event.__args__)
    named = re.findall(r"^\*\*`(\w+)`\*\*", FILES.part("## Events").text, re.MULTILINE)
    assert named == [kind.__struct_config__.tag for kind in Event.__args__]
    assert set(lines(stream)[0]) >= {"event", "address", "time"}


def test_a_lock_file_has_the_keys_that_are_named(tmp_path: Path) -> None:
    from tsws.fetch.lockfile import add

    pin = Pin(uri="https://example.org/a.txt", url="https://example.org/a.txt", size=1, sha256="0" * 64, version="1")
    add(tmp_path / "tinystories.lock", pin)
    found = tomllib.loads((tmp_path / "tinystories.lock").read_text())
    assert found == {"schema": 1, "source": [msgspec.to_builtins(pin)]}


def test_validation_is_the_shard_that_the_page_says(applied: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(applied, tmp_path / "workspace"))
    shards = root / "data/toy/words"
    assert (shards / "data00.bin").stat().st_size < (shards / "data01.bin").stat().st_size
    assert (shards / "data00.bin").read_bytes()[:2] == b"\x01\x00"
    assert Workspace.open(root).manifest.dataset["toy"].stories == 300


def test_samples_have_the_keys_that_are_named(applied: Path) -> None:
    shown = re.findall(r"^\| `(\w+)` \|", FILES.part("## `samples.jsonl`").text, re.MULTILINE)
    told = lines(applied / "out/first/samples.jsonl")
    assert told
    assert {tuple(line) for line in told} == {tuple(shown)}

"""Runs and their exports, made in this process as a worker makes them."""

from __future__ import annotations

import dataclasses
import shutil
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.resources.conftest import Place
from tsws import Workspace
from tsws.errors import FormatError
from tsws.io.digest import sha256_file
from tsws.job import Job, Sample
from tsws.manifest.specs import DatasetSpec
from tsws.plugin import Architecture, Plugins, load_plugins
from tsws.reconcile.action import Change
from tsws.reconcile.apply import Report
from tsws.resources.shards import chosen_shards

if TYPE_CHECKING:
    import torch

MANIFEST = """
[tokenizer.t]
source = "given/tok105.model"

[dataset.d]
source = "shards/"
format = "shards"
tokenizer = "t"

[model.m]
dim = 8
n_layers = 1
n_heads = 2
max_seq_len = 16

[run.r]
model = "m"
dataset = "d"
max_iters = 2
batch_size = 2
eval_interval = 1
eval_tokens = 16
warmup_iters = 0
threads = 1
"""


class Bigram(Architecture):
    """The next token depends on the last one alone; it can not be asked for a token at a time."""

    name = "bigram"

    def build(self, config: Mapping[str, Any]) -> torch.nn.Module:
        import torch

        class Table(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.table = torch.nn.Embedding(config["vocab_size"], config["vocab_size"])

            def forward(
                self, tokens: torch.Tensor, targets: torch.Tensor | None = None
            ) -> tuple[torch.Tensor, torch.Tensor | None]:
                logits = self.table(tokens)  # (batch, seq, vocab_size)
                if targets is None:
                    return logits, None
                return logits, torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

        return Table()


def plugins() -> Plugins:
    found = load_plugins()
    return dataclasses.replace(found, architectures={**found.architectures, "bigram": Bigram})


def work(place: Place, *targets: str) -> Report:
    """What a worker does, in this process."""
    data = place.open().context.data
    job = Job(id="one", address=targets[0], targets=targets, fingerprint="", manifest=data, root=str(place.root))
    workspace = Workspace.of_job(job, place.root, plugins=place.plugins)
    return workspace.work(job, emit=place.events.append, stop=lambda: False)


def make(place: Place, *targets: str) -> None:
    report = work(place, *targets)
    assert report.ok, [str(result.error) for result in report.failed]


@pytest.fixture
def place(tmp_path: Path, real_data: Path) -> Place:
    """A workspace with shards and a tokenizer."""
    place = Place(tmp_path / "workspace", plugins())
    (place.root / "given").mkdir(parents=True)
    shutil.copy(real_data / "tok105" / "tok105.model", place.root / "given")
    for number in range(3):
        place.write(f"shards/data{number:02d}.bin", array("H", [1, *range(3, 60)] * 4).tobytes())
    place.manifest(MANIFEST)
    return place


def test_two_exports_of_one_run_and_both_weights(place: Place) -> None:
    more = '[export.st]\nrun = "r"\nformat = "safetensors"\nweights = "last"\n'
    more += '[export.best]\nrun = "r"\nformat = "safetensors"\npath = "best.safetensors"\n'
    place.manifest(MANIFEST + more)
    make(place, "export.r", "export.st", "export.best")
    outputs = {output.role: output for output in place.record("run.r").outputs}
    assert (place.root / "out/r/model.bin").stat().st_size > 0
    for path, role in (("out/r/model.safetensors", "last"), ("best.safetensors", "best")):
        from tsws.model.weights import load_weights

        exported, kept = load_weights(place.root / path), load_weights(place.root / outputs[role].path)
        assert exported.keys() == kept.keys()
        assert all((exported[name] == kept[name]).all() for name in kept)
    assert [event.prompt for event in place.events if isinstance(event, Sample)]
    place.manifest(MANIFEST + more.replace('weights = "last"', 'weights = "best"'))
    changes = {action.address: action.change for action in place.open().plan(everything=True).changes}
    assert changes["export.st"] is Change.UPDATE
    assert not {"run.r", "export.r", "export.best"} & changes.keys()


def test_an_unknown_format_is_blocked_with_the_known_ones(place: Place) -> None:
    place.manifest(MANIFEST + '[export.x]\nrun = "r"\nformat = "onnx"\n')
    action = place.open().plan(["export.x"])["export.x"]
    assert (action.change, action.reason) == (Change.BLOCKED, "no plugin provides the export format 'onnx'")
    assert action.hint == "known formats: llama2c, safetensors"


def test_an_unknown_architecture_is_blocked_with_the_known_ones(place: Place) -> None:
    place.manifest(
        MANIFEST.replace("[model.m]", '[model.m]\narch = "mamba"') + '[export.r]\nrun = "r"\nformat = "safetensors"\n'
    )
    plan = place.open().plan(["run.r"])
    assert (plan["run.r"].change, plan["run.r"].reason) == (
        Change.BLOCKED,
        "no plugin provides the architecture 'mamba'",
    )
    assert plan["run.r"].hint == "known architectures: bigram, gpt, llama"
    assert plan["export.r"].reason == "needs run.r, which is blocked"


def test_an_architecture_of_a_plugin_trains_and_tells_no_story(place: Place) -> None:
    odd = MANIFEST.replace("dim = 8", 'arch = "bigram"\ndim = 7').replace("n_heads = 2", "n_heads = 7")
    place.manifest(odd + '[export.r]\nrun = "r"\nformat = "safetensors"\n')
    estimate = place.open().plan(["run.r"])["run.r"].estimate
    assert estimate is not None
    assert "M tokens" in estimate.basis
    make(place, "export.r")
    assert (place.root / "out/r/model.safetensors").exists()
    assert not [event for event in place.events if isinstance(event, Sample)]


def test_a_vocabulary_that_does_not_fit_is_refused(place: Place) -> None:
    place.manifest(MANIFEST.replace("[model.m]", "[model.m]\nvocab_size = 99"))
    (failed,) = work(place, "run.r").failed
    assert failed.error is not None
    assert failed.error.message == "run.r: the model has 99 tokens, its tokenizer 105"
    assert failed.error.hint == "set vocab_size of model.m to 105, or leave it out"


def test_only_shards_of_the_dataset_are_learned_from(place: Place) -> None:
    place.manifest(MANIFEST.replace('"shards/"', '"shards/data0[01].bin"'))
    make(place, "run.r")
    place.write("shards/data02.bin", b"odd")  # it is none of the dataset's
    place.manifest(MANIFEST.replace('"shards/"', '"shards/data0[01].bin"').replace("max_iters = 2", "max_iters = 3"))
    make(place, "run.r")
    assert place.record("run.r").notes["step"] == 3


SHARDS = {number: Path(f"data{number:02d}.bin") for number in range(4)}


@pytest.mark.parametrize(
    ("train", "val", "chosen"),
    [
        (None, None, ([1, 2, 3], [0])),
        (None, "3", ([0, 1, 2], [3])),
        (None, "1,3", ([0, 2], [1, 3])),
        ("1-2", None, ([1, 2], [0])),
        ("3,0-1", "2", ([0, 1, 3], [2])),
    ],
)
def test_shards_are_chosen(train: str | None, val: str | None, chosen: tuple[list[int], list[int]]) -> None:
    spec = DatasetSpec(source="x", format="shards", train=train, val=val)
    found = chosen_shards("run.r", spec, SHARDS)
    assert found == tuple(tuple(SHARDS[number] for number in part) for part in chosen)


def test_shards_that_are_not_there_are_named() -> None:
    spec = DatasetSpec(source="x", format="shards", train="2-20", val="0")
    with pytest.raises(FormatError) as raised:
        chosen_shards("run.r", spec, SHARDS)
    assert raised.value.message == "run.r: its dataset has no shard 4, 5, 6, 7, 8, 9, 10, 11 and 9 more"
    assert raised.value.hint == "choose `train` and `val` from its shards: 0, 1, 2, 3"


def test_a_dataset_of_validation_alone_is_refused() -> None:
    with pytest.raises(FormatError) as raised:
        chosen_shards("run.r", DatasetSpec(source="x", format="shards"), {0: Path("data00.bin")})
    assert raised.value.message == "run.r: its dataset has no shard for training beside those for validation"


def test_a_run_and_its_results_do_not_depend_on_where_the_shards_lie(place: Place) -> None:
    make(place, "export.r")
    before = sha256_file(place.root / "out/r/model.bin")
    shutil.move(place.root / "shards", place.root / "moved")
    place.manifest(MANIFEST.replace("shards/", "moved/"))
    report = work(place, "export.r")
    assert report.ok
    assert [result.address for result in report.done] == ["dataset.d"]
    assert sha256_file(place.root / "out/r/model.bin") == before

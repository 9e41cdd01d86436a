"""Which keys can change the bytes of a result."""

from __future__ import annotations

import json

from tsws.manifest.identity import identity_fields, operational_fields
from tsws.manifest.specs import ModelSpec, RunSpec, VolumeSpec

RUN = RunSpec(model="tiny", dataset="toy", tokenizer="toy512", max_iters=5, backend="modal", threads=3)


def test_operational_keys_of_a_run_are_where_and_how_it_is_watched() -> None:
    assert operational_fields(RUN) == {
        "out": None,
        "backend": "modal",
        "volume": None,
        "device": "auto",
        "engine": "auto",
        "compile": "auto",
        "gradient_checkpointing": False,
        "threads": 3,
        "processes": 1,
        "nodes": 1,
        "log_interval": 10,
        "checkpoint_interval": "1m",
        "sample_prompt": "Once upon a time",
    }


def test_all_other_keys_are_identity_with_their_defaults() -> None:
    fields = identity_fields(RUN)
    assert fields.keys() | operational_fields(RUN).keys() == set(RunSpec.__struct_fields__)
    assert not fields.keys() & operational_fields(RUN).keys()
    assert (fields["max_iters"], fields["seed"], fields["schedule"]) == (5, 1337, None)


def test_identity_is_plain_data() -> None:
    spec = ModelSpec(options={"deep": [1, {"x": 2.5}]})
    assert json.loads(json.dumps(identity_fields(spec))) == identity_fields(spec)
    assert operational_fields(spec) == {"path": None}


def test_moving_a_run_leaves_its_identity() -> None:
    moved = RunSpec(model="tiny", dataset="toy", tokenizer="toy512", max_iters=5, volume="attic", out="elsewhere")
    assert identity_fields(moved) == identity_fields(RUN)
    longer = RunSpec(model="tiny", dataset="toy", tokenizer="toy512", max_iters=6)
    assert identity_fields(longer) != identity_fields(RUN)


def test_options_of_a_volume_are_among_its_fields() -> None:
    spec = VolumeSpec(kind="folder", options={"path": "attic"})
    assert identity_fields(spec) == {"kind": "folder", "sync": None, "options": {"path": "attic"}}

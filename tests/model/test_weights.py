"""Weights as safetensors, and the plugin's exporters that begin with them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.model.llama import Llama
from tsws.model.llama2c import read_model
from tsws.model.llama2c_header import read_header
from tsws.model.weights import load_weights, read_config, save_weights
from tsws.plugin import NoOptions, load_plugins


@pytest.fixture
def saved(make: Callable[..., Llama], tmp_path: Path) -> tuple[Llama, Path]:
    model = make()
    path = tmp_path / "weights.safetensors"
    save_weights(path, model.state_dict(), {"arch": "llama", **model.config.to_fields()})
    return model, path


def test_weights_and_config_come_back(saved: tuple[Llama, Path]) -> None:
    model, path = saved
    assert read_config(path) == {"arch": "llama", **model.config.to_fields()}
    state = load_weights(path)
    assert set(state) == set(model.state_dict())
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in state.items())
    assert [name.name for name in path.parent.iterdir()] == ["weights.safetensors"]


def test_the_same_weights_give_the_same_bytes_whatever_their_type(saved: tuple[Llama, Path], tmp_path: Path) -> None:
    model, path = saved
    backwards = dict(reversed({name: tensor.double() for name, tensor in model.state_dict().items()}.items()))
    save_weights(tmp_path / "again", backwards, {"arch": "llama", **model.config.to_fields()})
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_a_cut_file_is_refused(saved: tuple[Llama, Path]) -> None:
    _, path = saved
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match="not a whole safetensors file"):
        load_weights(path)


@given(data=st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: struct.pack("<Q", len(rest)) + rest))
def test_reading_the_config_of_anything_else_is_a_format_error(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.safetensors"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        read_config(path)
    assert caught.value.hint


def test_a_config_has_to_be_an_object(tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"config": "[1]"}}).encode()
    path = tmp_path / "list.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(FormatError) as caught:
        read_config(path)
    assert caught.value.message == f"{path}: the config in its metadata is not an object"
    assert caught.value.hint == "use weights that tsws has written"


def test_the_llama2c_exporter_writes_what_llama2c_reads(saved: tuple[Llama, Path], tmp_path: Path) -> None:
    model, path = saved
    exporter = load_plugins().exporters["llama2c"]()
    exporter.export(path, read_config(path), tmp_path / "model.bin", exporter.Options())
    config, state = read_model(tmp_path / "model.bin")
    assert config == model.config
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in state.items())


@pytest.mark.parametrize(
    ("options", "version", "group_size"),
    [({"version": 1}, 1, 0), ({"version": 2}, 2, 16), ({"version": 2, "group_size": 8}, 2, 8)],
)
def test_the_llama2c_exporter_writes_the_wanted_version(
    options: dict[str, int], version: int, group_size: int, saved: tuple[Llama, Path], tmp_path: Path
) -> None:
    exporter = load_plugins().exporters["llama2c"]()
    wanted = msgspec.convert(options, exporter.Options)
    exporter.export(saved[1], read_config(saved[1]), tmp_path / "model.bin", wanted)
    header = read_header(tmp_path / "model.bin")
    assert (header.version, header.group_size) == (version, group_size)


def test_the_llama2c_exporter_refuses_other_architectures(saved: tuple[Llama, Path], tmp_path: Path) -> None:
    exporter = load_plugins().exporters["llama2c"]()
    with pytest.raises(FormatError) as caught:
        exporter.export(saved[1], {"arch": "gpt"}, tmp_path / "model.bin", exporter.Options())
    assert caught.value.message == ("llama2.c's format holds Llamas; weights.safetensors is of the architecture 'gpt'")


def test_the_safetensors_exporter_copies_any_weights(saved: tuple[Llama, Path], tmp_path: Path) -> None:
    _, path = saved
    exporter = load_plugins().exporters["safetensors"]()
    exporter.export(path, read_config(path), tmp_path / "copy", NoOptions())
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


def test_the_architecture_builds_the_same_model_from_the_same_seed(saved: tuple[Llama, Path]) -> None:
    architecture = load_plugins().architectures["llama"]()
    fields = read_config(saved[1])
    models = []
    for _ in range(2):
        torch.manual_seed(1)
        models.append(architecture.build(fields).state_dict())
    assert all(torch.equal(tensor, models[1][name]) for name, tensor in models[0].items())

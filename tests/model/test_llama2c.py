"""llama2.c's model files."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.model.llama2c import read_header, read_model, write_model
from tsws.model.llama2c_header import Version
from tsws.model.llama2c_header import read_header as read_whole_header

PUBLISHED = {
    "tok105/model5000.bin": LlamaConfig(
        dim=128, n_layers=5, n_heads=8, n_kv_heads=4, hidden_dim=352, vocab_size=105, max_seq_len=256
    ),
    "stories260K/stories260K.bin": LlamaConfig(
        dim=64, n_layers=5, n_heads=8, n_kv_heads=4, hidden_dim=172, vocab_size=512, max_seq_len=512
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_come_back_byte_for_byte(name: str, real_data: Path, tmp_path: Path) -> None:
    config, state = read_model(real_data / name)
    assert config == PUBLISHED[name] == read_header(real_data / name)
    write_model(tmp_path / "model.bin", config, state)
    assert (tmp_path / "model.bin").read_bytes() == (real_data / name).read_bytes()


EXPORTED = {
    ("stories260K/stories260K.bin", 1): "9ab1bf3d0c9900ce357fb38b0f42c3252e0ad478400bf7093efa133c8fa60723",
    ("stories260K/stories260K.bin", 2): "c8c032d04f8a48b2c8f9b708cc571a895d45fe23521f47f542b897d64ad77c50",
    ("tok105/model5000.bin", 1): "a0562b8c087a76c7f5dfd827ff71dde5f22327099e8fcc33f7dd80d509c214ed",
    ("tok105/model5000.bin", 2): "f5b81d53d88b339788d3545b326fc6178b8160b78ce03c800bac311fa3b961d6",
}
"""sha256 of what llama2.c's ``export.py`` (commit 350e04f) writes for these weights, in groups of 4 and 32."""


@pytest.mark.parametrize(("name", "version"), EXPORTED)
def test_the_bytes_are_those_of_llama2c_export(name: str, version: Version, real_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    write_model(path, *read_model(real_data / name), version=version)
    assert sha256(path.read_bytes()).hexdigest() == EXPORTED[name, version]


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("fields", [{}, {"tie_embeddings": False}, {"n_kv_heads": 1, "hidden_dim": 7}])
def test_what_is_written_is_read(
    fields: dict[str, object], version: Version, make: Callable[..., Llama], tmp_path: Path
) -> None:
    model = make(**fields)
    path = tmp_path / "model.bin"
    write_model(path, model.config, model.state_dict(), version=version)
    config, state = read_model(path)
    assert config == model.config
    assert set(state) == set(model.state_dict())
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in state.items())


@pytest.mark.parametrize(
    ("fields", "group_size"),
    [({}, None), ({"tie_embeddings": False}, 4), ({"n_kv_heads": 1, "hidden_dim": 7, "vocab_size": 23, "dim": 8}, 1)],
)
def test_int8_comes_back_within_half_a_step(
    fields: dict[str, object], group_size: int | None, make: Callable[..., Llama], tmp_path: Path
) -> None:
    model = make(**fields)
    path = tmp_path / "model.bin"
    write_model(path, model.config, model.state_dict(), version=2, group_size=group_size)
    header = read_whole_header(path)
    assert (header.config, header.version, header.group_size) == (model.config, 2, group_size or 16)
    _, state = read_model(path)
    assert set(state) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        if tensor.dim() == 1:
            assert torch.equal(state[name], tensor)
        else:
            largest = tensor.view(-1, header.group_size).abs().amax(1, keepdim=True).expand(-1, header.group_size)
            assert bool(((state[name] - tensor).abs().view(largest.shape) <= 0.501 * largest / 127).all())


def test_int8_read_and_written_again_is_the_same(make: Callable[..., Llama], tmp_path: Path) -> None:
    model = make()
    write_model(tmp_path / "one.bin", model.config, model.state_dict(), version=2)
    write_model(tmp_path / "two.bin", *read_model(tmp_path / "one.bin"), version=2)
    assert (tmp_path / "one.bin").read_bytes() == (tmp_path / "two.bin").read_bytes()


@pytest.mark.parametrize(
    ("fields", "how", "message", "hint"),
    [
        (
            {"hidden_dim": 24},
            {"version": 2, "group_size": 16},
            "a group size of 16 does not divide hidden_dim = 24",
            "leave it out, or choose 8",
        ),
        (
            {},
            {"version": 2, "group_size": 0},
            "a group size of 0 does not divide dim = 16",
            "leave it out, or choose 16",
        ),
        (
            {},
            {"version": 1, "group_size": 16},
            "version 1 of llama2.c's format has no groups, but a group size of 16 was asked for",
            "leave the group size out, or export version 2",
        ),
    ],
)
def test_groups_that_do_not_fit_are_refused(
    fields: dict[str, object], how: dict[str, Any], message: str, hint: str, make: Callable[..., Llama], tmp_path: Path
) -> None:
    model = make(**fields)
    with pytest.raises(FormatError) as caught:
        write_model(tmp_path / "model.bin", model.config, model.state_dict(), **how)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert list(tmp_path.iterdir()) == []


def test_changing_what_was_read_leaves_the_file_alone(make: Callable[..., Llama], tmp_path: Path) -> None:
    model, path = make(), tmp_path / "model.bin"
    write_model(path, model.config, model.state_dict())
    before = path.read_bytes()
    _, state = read_model(path)
    state["norm.weight"].zero_()
    assert path.read_bytes() == before


MAGIC = 0x616B3432
HEADER = (16, 32, 2, 4, 2, 24, 12)
SIZE = 28 + 4 * (24 * 16 + 2 * (2 * 16 + 2 * 256 + 2 * 128 + 3 * 512) + 16 + 12 * 4)


@pytest.mark.parametrize(
    ("header", "size", "message"),
    [
        (
            HEADER,
            SIZE - 1,
            "its header (dim 16, 2 layers, vocab_size 24...) asks for {size} bytes, the file has {less}",
        ),
        (
            HEADER,
            SIZE + 1,
            "its header (dim 16, 2 layers, vocab_size 24...) asks for {size} bytes, the file has {more}",
        ),
        ((16,), 4, "not a llama2.c model: the header has 28 bytes, the whole file 4"),
        ((15, *HEADER[1:]), SIZE, "not a llama2.c model: model: dim 15 can not be divided among 4 heads"),
        (
            (16, 32, -2, *HEADER[3:]),
            SIZE,
            "not a llama2.c model: model: n_layers is -2; it has to be a whole number of at least 1",
        ),
        (
            (MAGIC, 3, *HEADER[:5]),
            SIZE,
            "a llama2.c model of version 3; only versions 0, 1 and 2 can be read here",
        ),
        ((MAGIC, 1, *HEADER), 255, "not a llama2.c model: the header has 256 bytes, the whole file 255"),
        (
            (MAGIC, 1, *HEADER, 0),
            256,
            "its header (dim 16, 2 layers, vocab_size 24...) asks for 22080 bytes, the file has 256",
        ),
        (
            (MAGIC, 2, *HEADER, 1 | 16 << 8),
            256,
            "its header (dim 16, 2 layers, vocab_size 24...) asks for 6816 bytes, the file has 256",
        ),
        (
            (MAGIC, 1, *HEADER, 2),
            256,
            "not a llama2.c model: 2 stands where 1 means a shared classifier and 0 one of its own",
        ),
        (
            (MAGIC, 2, *HEADER, 32 << 8),
            256,
            "a llama2.c model whose text would be wrecked: a group size of 32 does not divide dim = 16",
        ),
        (
            (MAGIC, 2, *HEADER, 0),
            256,
            "a llama2.c model whose text would be wrecked: a group size of 0 does not divide dim = 16",
        ),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    header: tuple[int, ...], size: int, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(struct.pack(f"<{len(header)}i", *header).ljust(size, b"\0"))
    expected = message.format(size=SIZE, less=SIZE - 1, more=SIZE + 1)
    for read in (read_header, read_model):
        with pytest.raises(FormatError) as caught:
            read(path)
        assert caught.value.message == f"{path}: {expected}"


@given(
    magic=st.sampled_from([b"", struct.pack("<Ii", MAGIC, 1), struct.pack("<Ii", MAGIC, 2)]),
    header=st.lists(st.integers(-(2**31), 2**31 - 1) | st.sampled_from(HEADER), min_size=7, max_size=7),
    rest=st.integers(0, 400),
)
def test_no_header_gets_further_than_a_format_error(
    magic: bytes, header: list[int], rest: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.bin"
    path.write_bytes(magic + struct.pack("<7i", *header) + bytes(rest))
    with pytest.raises(FormatError):
        read_model(path)


def test_what_the_format_can_not_say_is_refused(make: Callable[..., Llama], tmp_path: Path) -> None:
    model = make(norm_eps=1e-6)
    with pytest.raises(FormatError) as caught:
        write_model(tmp_path / "model.bin", model.config, model.state_dict())
    assert caught.value.message == "llama2.c's format implies norm_eps = 1e-05; this model has 1e-06"
    model = make()
    state = model.state_dict() | {"norm.weight": torch.ones(3)}
    with pytest.raises(FormatError) as caught:
        write_model(tmp_path / "model.bin", model.config, state)
    assert caught.value.message == "weights: norm.weight has shape (3,), expected (16,)"
    assert caught.value.hint == "write them with the config that they were trained with"
    assert list(tmp_path.iterdir()) == []

"""llama2.c's model file."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.model.llama2c import read_header, read_model, write_model

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


@pytest.mark.parametrize("fields", [{}, {"tie_embeddings": False}, {"n_kv_heads": 1, "hidden_dim": 7}])
def test_what_is_written_is_read(fields: dict[str, object], make: Callable[..., Llama], tmp_path: Path) -> None:
    model = make(**fields)
    path = tmp_path / "model.bin"
    write_model(path, model.config, model.state_dict())
    config, state = read_model(path)
    assert config == model.config
    assert set(state) == set(model.state_dict())
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in state.items())


def test_changing_what_was_read_leaves_the_file_alone(make: Callable[..., Llama], tmp_path: Path) -> None:
    model, path = make(), tmp_path / "model.bin"
    write_model(path, model.config, model.state_dict())
    before = path.read_bytes()
    _, state = read_model(path)
    state["norm.weight"].zero_()
    assert path.read_bytes() == before


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
            (0x616B3432, 1, *HEADER[:5]),
            SIZE,
            "a llama2.c model of version 1; only version 0 can be read here",
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


@given(header=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=7, max_size=7), rest=st.integers(0, 400))
def test_no_header_gets_further_than_a_format_error(
    header: list[int], rest: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.bin"
    path.write_bytes(struct.pack("<7i", *header) + bytes(rest))
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

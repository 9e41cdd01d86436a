"""The training step in C: ``native/train`` on the CPU's vector units, for Llamas without dropout.

Rows of a micro-batch are shared out among threads, each with gradients of its own that are summed in a fixed order: the
same number of threads gives the same bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER, Structure, byref, c_double, c_float, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from tsws.errors import TrainError
from tsws.model.config import LlamaConfig
from tsws.model.llama import IGNORED_TARGET, Llama
from tsws.train.gradients import Gradients


class _Shape(Structure):
    """``tsws_train_shape``."""

    _fields_ = [
        *((name, c_int32) for name in ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads")),
        *((name, c_int32) for name in ("vocab_size", "max_seq_len", "shared_classifier", "bfloat16")),
        ("norm_eps", c_float),
    ]


T = TypeVar("T")
_FLOATS = POINTER(c_float)
_TOKENS = POINTER(c_int64)
_SIGNATURES = {
    "tsws_train_parameters": (c_size_t, [POINTER(_Shape)]),
    "tsws_trainer_create": (c_void_p, [POINTER(_Shape), _FLOATS, _FLOATS]),
    "tsws_trainer_destroy": (None, [c_void_p]),
    "tsws_trainer_load": (None, [c_void_p, _FLOATS, c_int32, c_int32]),
    "tsws_worker_create": (c_void_p, [c_void_p]),
    "tsws_worker_destroy": (None, [c_void_p]),
    "tsws_worker_rows": (c_double, [c_void_p, _TOKENS, _TOKENS, c_int32, c_int32, c_float, _FLOATS]),
    "tsws_train_reduce": (None, [POINTER(_FLOATS), c_int32, c_size_t, c_size_t]),
}


class NativeGradients(Gradients):
    """Losses and gradients in C.

    The model's parameters become views of one array, their gradients of another; both stay where they are from then on.

    Args:
        model: without dropout, in float32 on the CPU.
        library: the compiled ``native/train``.
        threads: how many work at once; 1 or more.
        bfloat16: round the factors of products with weights; sums, attention and all else stay in float32.

    Raises:
        TrainError: memory is short.
        OSError: the library can not be loaded.
    """

    name = "native"

    def __init__(self, model: Llama, library: Path, *, threads: int, bfloat16: bool) -> None:
        self._c = _load(library)
        self.library = library
        self._model = model
        shape = _shape(model.config, bfloat16)
        parameters = list(_in_order(model))
        count = self._c.tsws_train_parameters(byref(shape))
        if count != sum(parameter.numel() for parameter in parameters):
            raise AssertionError("the library's layout is not this model's")
        self._weights = torch.empty(count)
        self._gradients = torch.zeros(threads, count)
        _move(parameters, self._weights, self._gradients[0])
        self._trainer = c_void_p(
            self._c.tsws_trainer_create(byref(shape), _floats(model.cos.contiguous()), _floats(model.sin.contiguous()))
        )
        self._workers = [
            c_void_p(self._c.tsws_worker_create(self._trainer)) for _ in range(threads if self._trainer else 0)
        ]
        if not self._trainer or not all(self._workers):
            raise TrainError(
                "memory is short for the activations of a row", hint="choose a smaller model, or a smaller max_seq_len"
            )
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="train")

    @property
    def threads(self) -> int:
        """How many work at once."""
        return len(self._workers)

    def prepare(self) -> None:
        weights = _floats(self._weights)
        self._on_all(lambda k: self._c.tsws_trainer_load(self._trainer, weights, k, self.threads))

    def begin(self) -> None:
        self._gradients.zero_()
        self.prepare()

    def add(self, inputs: Tensor, targets: Tensor, share: float) -> Tensor:
        return self._rows(inputs, targets, share)

    def end(self) -> None:
        sums = (_FLOATS * self.threads)(*(_floats(part) for part in self._gradients))
        cuts = _cuts(self._weights.numel(), self.threads)
        self._on_all(lambda k: self._c.tsws_train_reduce(sums, self.threads, cuts[k], cuts[k + 1]))

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return self._rows(inputs, targets, None)

    def _rows(self, inputs: Tensor, targets: Tensor, share: float | None) -> Tensor:
        """The mean loss of some rows; with a share the gradients are added, too."""
        count = int((targets != IGNORED_TARGET).sum())
        rows, seq = inputs.shape
        inputs, targets, cuts = inputs.contiguous(), targets.contiguous(), _cuts(rows, self.threads)

        def work(k: int) -> float:
            mine = slice(cuts[k], cuts[k + 1])
            gradients = None if share is None else _floats(self._gradients[k])
            scale = 0.0 if share is None or not count else share / count
            loss: float = self._c.tsws_worker_rows(
                self._workers[k],
                _tokens(inputs[mine]),
                _tokens(targets[mine]),
                cuts[k + 1] - cuts[k],
                seq,
                scale,
                gradients,
            )
            return loss

        return torch.tensor(sum(self._on_all(work)) / count)

    def _on_all(self, work: Callable[[int], T]) -> list[T]:
        """Do the same on every thread; the C functions let Python's lock go."""
        return list(self._pool.map(work, range(self.threads)))

    def close(self) -> None:
        """Give threads and memory back; the model keeps its weights."""
        self._pool.shutdown()
        for worker in self._workers:
            self._c.tsws_worker_destroy(worker)
        self._c.tsws_trainer_destroy(self._trainer)
        self._workers = []


def _load(library: Path) -> ctypes.CDLL:
    loaded = ctypes.CDLL(str(library))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def _shape(config: LlamaConfig, bfloat16: bool) -> _Shape:
    sizes = ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "max_seq_len")
    return _Shape(
        **{name: getattr(config, name) for name in sizes},
        shared_classifier=config.tie_embeddings,
        bfloat16=bfloat16,
        norm_eps=config.norm_eps,
    )


_LAYER = (
    *("attention_norm", "attention.wq", "attention.wk", "attention.wv", "attention.wo"),
    *("ffn_norm", "feed_forward.w1", "feed_forward.w3", "feed_forward.w2"),
)
"""The parts of a layer in the order of ``native/train/llama.h``."""


def _in_order(model: Llama) -> Iterator[nn.Parameter]:
    """All parameters in the order of ``native/train/llama.h``."""
    layers = [f"layers.{layer}.{part}" for layer in range(model.config.n_layers) for part in _LAYER]
    output = [] if model.output is None else ["output"]
    for name in ("tok_embeddings", *layers, "norm", *output):
        yield model.get_parameter(f"{name}.weight")


def _move(parameters: list[nn.Parameter], weights: Tensor, gradients: Tensor) -> None:
    """Make parameters and their gradients views of two arrays."""
    place = 0
    for parameter in parameters:
        part = slice(place, place + parameter.numel())
        weights[part] = parameter.detach().flatten()
        parameter.data = weights[part].view_as(parameter)
        parameter.grad = gradients[part].view_as(parameter)
        place = part.stop


def _cuts(count: int, parts: int) -> list[int]:
    """Where each of some nearly equal parts begins, and the end."""
    return [count * part // parts for part in range(parts + 1)]


def _floats(tensor: Tensor) -> ctypes._Pointer[c_float]:
    return ctypes.cast(tensor.data_ptr(), _FLOATS)


def _tokens(tensor: Tensor) -> ctypes._Pointer[c_int64]:
    return ctypes.cast(tensor.data_ptr(), _TOKENS)

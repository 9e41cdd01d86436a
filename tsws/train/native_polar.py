"""Orthogonal updates in C: ``native/train/polar.h`` on several threads, a matrix each."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER, c_float, c_int32, c_size_t
from pathlib import Path
from threading import local

import torch
from torch import Tensor

_FLOATS = POINTER(c_float)


class NativePolar:
    """See :data:`tsws.train.muon.Polar`; the number of threads does not change a bit.

    Args:
        library: the compiled ``native/train``.
        threads: how many work at once; 1 or more.

    Raises:
        OSError: the library can not be loaded.
    """

    def __init__(self, library: Path, threads: int) -> None:
        self._c = ctypes.CDLL(str(library))
        self._c.tsws_train_polar_floats.restype = c_size_t
        self._c.tsws_train_polar_floats.argtypes = [c_int32, c_int32]
        self._c.tsws_train_polar.restype = None
        self._c.tsws_train_polar.argtypes = [_FLOATS, c_int32, c_int32, _FLOATS]
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="polar")
        self._scratch = local()

    def __call__(self, matrices: Sequence[Tensor]) -> list[Tensor]:
        """Replace float32 matrices on the CPU by orthogonal ones, in place; the largest first, so that no thread is last with one."""
        order = sorted(matrices, key=lambda matrix: matrix.numel(), reverse=True)
        list(self._pool.map(self._one, order))
        return list(matrices)

    def _one(self, matrix: Tensor) -> None:
        rows, columns = matrix.shape
        scratch = self._room(self._c.tsws_train_polar_floats(rows, columns))
        self._c.tsws_train_polar(_pointer(matrix), rows, columns, _pointer(scratch))

    def _room(self, floats: int) -> Tensor:
        """This thread's own scratch."""
        room: Tensor | None = getattr(self._scratch, "room", None)
        if room is None or room.numel() < floats:
            room = self._scratch.room = torch.empty(floats)
        return room


def _pointer(tensor: Tensor) -> ctypes._Pointer[c_float]:
    return ctypes.cast(tensor.data_ptr(), _FLOATS)

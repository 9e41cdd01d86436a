"""The C functions of ``tsws.h``, as ctypes sees them. What they promise is written there."""

from __future__ import annotations

import ctypes
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char,
    c_char_p,
    c_float,
    c_int,
    c_int32,
    c_size_t,
    c_uint64,
    c_void_p,
)
from functools import lru_cache
from pathlib import Path
from typing import Any

from tsws.engine.shared import native_library
from tsws.errors import BuildError, FormatError, TswsError, UsageError

ABI = 1
"""``TSWS_ABI`` of the header that this module was written from."""

BOS = 1
STORED, FLOAT32, INT8 = range(3)
_OK, _IO, _FORMAT, _MISMATCH, _ARGUMENT, _FULL, _MEMORY = range(7)


class Error(Structure):
    """``tsws_error``."""

    _fields_ = [("status", c_int), ("message", c_char * 1024)]


class ModelOptions(Structure):
    """``tsws_model_options``."""

    _fields_ = [("precision", c_int), ("exact", c_bool), ("kernels", c_char_p)]


class ModelInfo(Structure):
    """``tsws_model_info``."""

    _fields_ = [
        *((name, c_int32) for name in ("version", "dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads")),
        ("vocab_size", c_int32),
        ("max_seq_len", c_int32),
        ("shared_classifier", c_bool),
        ("group_size", c_int32),
        ("parameters", c_uint64),
        ("precision", c_int),
        ("kernels", c_char_p),
        ("weight_bytes", c_uint64),
    ]


class SessionOptions(Structure):
    """``tsws_session_options``."""

    _fields_ = [("max_positions", c_int32), ("threads", c_int32)]


class SamplerOptions(Structure):
    """``tsws_sampler_options``."""

    _fields_ = [("temperature", c_float), ("top_p", c_float), ("seed", c_uint64), ("exact", c_bool)]


class Piece(Structure):
    """``tsws_piece``."""

    _fields_ = [("text", c_void_p), ("length", c_size_t)]


STRUCTURES = {
    "tsws_error": Error,
    "tsws_model_options": ModelOptions,
    "tsws_model_info": ModelInfo,
    "tsws_session_options": SessionOptions,
    "tsws_sampler_options": SamplerOptions,
    "tsws_piece": Piece,
}

_HANDLE = POINTER(c_void_p)
_FLOATS = POINTER(c_float)
_ROWS = POINTER(_FLOATS)
_TOKENS = POINTER(c_int32)
_ERROR = POINTER(Error)

FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "tsws_abi": (c_int32, []),
    "tsws_version": (c_char_p, []),
    "tsws_model_open": (c_int, [c_char_p, POINTER(ModelOptions), _HANDLE, _ERROR]),
    "tsws_model_close": (None, [c_void_p]),
    "tsws_model_describe": (ModelInfo, [c_void_p]),
    "tsws_tokenizer_open": (c_int, [c_char_p, _HANDLE, _ERROR]),
    "tsws_tokenizer_close": (None, [c_void_p]),
    "tsws_tokenizer_check": (c_int, [c_void_p, c_void_p, _ERROR]),
    "tsws_tokenizer_bound": (c_size_t, [c_size_t]),
    "tsws_tokenizer_encode": (c_int, [c_void_p, c_char_p, c_size_t, _TOKENS, c_size_t, POINTER(c_size_t), _ERROR]),
    "tsws_tokenizer_decode": (Piece, [c_void_p, c_int32, c_int32, c_int]),
    "tsws_session_create": (c_int, [c_void_p, POINTER(SessionOptions), _HANDLE, _ERROR]),
    "tsws_session_destroy": (None, [c_void_p]),
    "tsws_session_step": (c_int, [c_void_p, c_int32, _ROWS, _ERROR]),
    "tsws_session_take": (c_int, [c_void_p, _TOKENS, c_size_t, _FLOATS, _ROWS, _ERROR]),
    "tsws_batch_create": (c_int, [c_void_p, c_int32, POINTER(SessionOptions), _HANDLE, _ERROR]),
    "tsws_batch_destroy": (None, [c_void_p]),
    "tsws_batch_reset": (None, [c_void_p, c_int32]),
    "tsws_batch_step": (c_int, [c_void_p, _TOKENS, _ROWS, _ERROR]),
    "tsws_sampler_create": (c_int, [c_int32, SamplerOptions, _HANDLE, _ERROR]),
    "tsws_sampler_destroy": (None, [c_void_p]),
    "tsws_sampler_pick": (c_int32, [c_void_p, _FLOATS]),
}


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """The library, compiled if need be and loaded once a process.

    Raises:
        BuildError: it can not be compiled or loaded, or is not of this version.
    """
    return load(native_library())


def load(path: Path) -> ctypes.CDLL:
    """Load a library and give its functions their types.

    Raises:
        BuildError: it can not be loaded, or its ABI is another.
    """
    hint = f"remove {path}, and it will be compiled again"
    try:
        loaded = ctypes.CDLL(str(path))
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise BuildError(f"the native library can not be loaded: {error}", hint=hint) from error
    if (abi := loaded.tsws_abi()) != ABI:
        raise BuildError(f"{path} has the ABI {abi}, expected {ABI}", hint=hint)
    return loaded


def check(status: int, error: Error) -> None:
    """Raise what a function reports.

    Raises:
        FormatError: a file is not what it should be, or does not belong to another.
        UsageError: an argument is out of its range.
        TswsError: a file can not be read, there is no room, or memory is short.
    """
    if status == _OK:
        return
    message = error.message.decode(errors="replace")
    if status == _FORMAT:
        raise FormatError(message, hint="fetch or export the file again")
    if status == _MISMATCH:
        raise FormatError(message, hint="name the tokenizer that the model was trained with")
    if status == _ARGUMENT:
        raise UsageError(message, hint="choose another value")
    raise TswsError(message, hint=_HINTS.get(status))


_HINTS = {
    _IO: "name a file that is there and can be read",
    _FULL: "give fewer tokens: the model's context holds no more",
    _MEMORY: "play fewer stories at once, or a smaller model",
}


def create(name: str, *arguments: Any) -> c_void_p:
    """Call a function that makes a handle.

    Raises:
        TswsError: as :func:`check`.
    """
    handle, error = c_void_p(), Error()
    check(getattr(library(), name)(*arguments, byref(handle), byref(error)), error)
    return handle

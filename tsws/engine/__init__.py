"""Building and playing the native program."""

from tsws.engine.build import DEFAULT_FLAGS, build_identity, build_program, effective_flags
from tsws.engine.compiler import Compiler, find_compiler
from tsws.engine.play import Manner, Told, fits_argument, play, play_many
from tsws.engine.source import amalgamate, native_folder

__all__ = [
    "DEFAULT_FLAGS",
    "Compiler",
    "Manner",
    "Told",
    "amalgamate",
    "build_identity",
    "build_program",
    "effective_flags",
    "find_compiler",
    "fits_argument",
    "native_folder",
    "play",
    "play_many",
]

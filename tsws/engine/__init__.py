"""Building and playing the native program."""

from tsws.engine.build import DEFAULT_FLAGS, build_identity, build_program, effective_flags
from tsws.engine.compiler import Compiler, find_compiler
from tsws.engine.play import play
from tsws.engine.source import amalgamate, native_folder

__all__ = [
    "DEFAULT_FLAGS",
    "Compiler",
    "amalgamate",
    "build_identity",
    "build_program",
    "effective_flags",
    "find_compiler",
    "native_folder",
    "play",
]

"""What a manifest may say to a C compiler: which one, and flags that only say how to compile.

A compiler is a program that runs others: plugins, wrappers, an assembler and a linker of somebody's choice, from wherever a flag
says. And many a program that is none takes ``-f FILE`` for a script. So both lists are of what is allowed, and everything
else is refused.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

_END = r"$(?!\n)"
"""The very end: Python's ``$`` also matches before a last newline. JSON Schema has no ``\\Z``."""

COMPILER_PATTERN = (
    r"^([A-Za-z0-9][A-Za-z0-9._+]*-)*"  # x86_64-linux-gnu-
    r"[A-Za-z0-9]*(cc|clang|icx|c99)"
    r"(-?[0-9][0-9.]*)?(-(posix|win32))?" + _END
)
"""The bare name of a C compiler: never a path, never with arguments."""

_VALUE = r"[A-Za-z0-9_,:+-]+(\.[A-Za-z0-9_,:+-]+)*"
_WITH_VALUE = (
    "align-functions|align-jumps|align-labels|align-loops|cf-protection|diagnostics-color|excess-precision|fp-contract|fp-model"
    "|inline-limit|lto|max-errors|openmp|sanitize|simd-cost-model|strict-flex-arrays|tls-model|trivial-auto-var-init|vect-cost-model"
    "|veclib|visibility|zero-call-used-regs"
)
"""Options ``-f...=`` whose value is a word or a number; that of others may be a file or a program."""
_OTHER_FILES = "auto-profile|callgraph-info|dump|module|pass-plugin|plugin|profile|save|stack-usage|test-coverage|time-trace|use-ld"
"""What the options ``-f...`` begin with that load code, or read or write files beside the program."""

FLAG_PATTERN = (
    r"^(?!.*\.\.)("
    + "|".join(
        (
            r"-O([0-3sgz]|fast)?",
            r"-D[A-Za-z_][A-Za-z0-9_]*(=[A-Za-z0-9_.,+\"'()-]*)?",
            r"-U[A-Za-z_][A-Za-z0-9_]*",
            rf"-m(?!llvm|mlir)[a-z0-9][a-z0-9-]*([.][0-9]+)?(={_VALUE})?",
            rf"-f(?!(no-)?({_OTHER_FILES}))[a-z][a-z0-9-]*",
            rf"-f({_WITH_VALUE})={_VALUE}",
            r"-W[a-z][a-z0-9+-]+(=[a-z0-9+-]+)?",  # no comma: -Wl, -Wa and -Wp, hand flags to other programs
            r"-w|-ansi|-pedantic|-pedantic-errors|-pthread",
            r"-g[0-3]?|-ggdb[0-3]?|-gdwarf(-[2-5])?|-gline-tables-only",
            r"-std=[a-z0-9:]+",
            r"-l[A-Za-z0-9_+-]+",
        )
    )
    + ")"
    + _END
)
"""One flag that only says how to compile; none that names a file, a plugin or another program."""

CompilerName = Annotated[
    str,
    Meta(
        pattern=COMPILER_PATTERN,
        extra={
            "expected": 'the bare name of a C compiler on the PATH, such as "gcc", "clang-18" or "aarch64-linux-gnu-gcc"'
        },
    ),
]
CompilerFlag = Annotated[
    str,
    Meta(
        pattern=FLAG_PATTERN,
        extra={
            "expected": 'a flag that only says how to compile, such as "-O3", "-DNAME=1", "-mavx2", "-ffast-math", "-fopenmp",'
            ' "-Wall", "-g", "-std=c11" or "-lm"'
        },
    ),
]

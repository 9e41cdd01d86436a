from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tsws.engine import amalgamate, find_compiler, native_folder, source
from tsws.engine.build import build_library
from tsws.engine.source import amalgamate_training
from tsws.errors import BuildError

# With -O1, as in the tests of the sources: without it gcc's intrinsics are macros, which convert signs themselves.
STRICT = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-pthread"]


def test_the_checkout_has_the_source(repository):
    assert native_folder() == repository / "native"


def test_an_installed_package_brings_its_own(tmp_path, monkeypatch):
    shipped = tmp_path / "tsws" / "_shipped" / "native"
    shutil.copytree(native_folder(), shipped)
    monkeypatch.setattr(source, "_PACKAGE", tmp_path / "tsws")
    assert native_folder() == shipped


def test_a_missing_source_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "_PACKAGE", tmp_path / "tsws")
    with pytest.raises(BuildError) as caught:
        native_folder()
    assert caught.value.message == (
        f"the source of the native program is missing: neither {tmp_path}/tsws/_shipped/native"
        f" nor {tmp_path}/native has it"
    )
    assert caught.value.hint == "install tsws again: pip install --force-reinstall tsws"


def test_one_file_is_made_of_all_in_a_fixed_order(tmp_path):
    for name in ("include", "src", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "include/api.h").write_text("int api;\n")
    (tmp_path / "src/inner.h").write_text('#include "api.h"\n#include <stdio.h>\nint inner;\n')
    (tmp_path / "src/zebra.c").write_text('#include "api.h"\nint zebra;\n')
    (tmp_path / "src/ant.c").write_text('  # include "inner.h" /* all */\nint ant;\n')
    (tmp_path / "run/main.c").write_text('#include "inner.h"\nint main(void);')
    (tmp_path / "run/inner.h").write_text('#include "api.h"\nint other;\n')
    (tmp_path / "run/options.c").write_text("int options;\n")
    library = (
        "\n/* ==== src/ant.c ==== */\n\n"
        "\n/* ==== src/inner.h ==== */\n\n"
        "\n/* ==== include/api.h ==== */\n\n"
        "int api;\n#include <stdio.h>\nint inner;\nint ant;\n"
        "\n/* ==== src/zebra.c ==== */\n\nint zebra;\n"
    )
    assert amalgamate(tmp_path, program=False).decode().split("*/\n", 1)[1] == library
    assert amalgamate(tmp_path).decode().split("*/\n", 1)[1] == (
        library + "\n/* ==== run/options.c ==== */\n\nint options;\n"
        "\n/* ==== run/main.c ==== */\n\n"
        "\n/* ==== run/inner.h ==== */\n\nint other;\nint main(void);"
    )


def test_a_header_of_one_processor_is_there_for_the_others_too(tmp_path):
    for name in ("include", "src"):
        (tmp_path / name).mkdir()
    (tmp_path / "src/shared.h").write_text("#ifndef SHARED_H\n#define SHARED_H\nint shared;\n#endif\n")
    include = '#if defined(THIS)\n#include "shared.h"\n#endif\n'
    (tmp_path / "src/a.c").write_text(include)
    (tmp_path / "src/b.c").write_text(include.replace("THIS", "THAT") + '#include "shared.h"\n')
    (tmp_path / "src/c.c").write_text('#include "shared.h"\n')
    assert amalgamate(tmp_path, program=False).count(b"int shared;") == 3


def test_a_missing_header_is_named(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/model.c").write_text('#include "gone.h"\n')
    with pytest.raises(BuildError) as caught:
        amalgamate(tmp_path, program=False)
    assert caught.value.message == f"{tmp_path}/src/model.c: includes gone.h, which is missing"


def test_a_folder_without_sources_is_named(tmp_path):
    with pytest.raises(BuildError) as caught:
        amalgamate(tmp_path)
    assert caught.value.message == f"{tmp_path}/src: no C sources"
    (tmp_path / "src").mkdir()
    (tmp_path / "src/model.c").touch()
    with pytest.raises(BuildError) as caught:
        amalgamate(tmp_path)
    assert caught.value.message == f"{tmp_path}/run: no C sources"


def test_the_bytes_are_always_the_same(tmp_path):
    shutil.copytree(native_folder(), tmp_path / "native")
    once = amalgamate(native_folder())
    assert once == amalgamate(tmp_path / "native")
    assert str(native_folder()).encode() not in once
    assert b'#include "' not in once


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_it_compiles_alone_without_a_warning(compiler, tmp_path):
    if shutil.which(compiler) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{compiler} is not installed (apt-get install {compiler})")
        pytest.skip(f"{compiler} is not installed: the joined source is not checked with it")
    outputs = {True: ["-o", "run", "-lm"], False: ["-c", "-fPIC", "-fvisibility=hidden"]}
    for program, output in outputs.items():
        (tmp_path / "run.c").write_bytes(amalgamate(native_folder(), program=program))
        # As the project's own, of which the sources' tests compile the rest, and as a stranger would.
        for command in ([*STRICT, "-fsyntax-only"], ["-O3", "-pthread", *output]):
            words = [compiler, "run.c", *command]
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_meant_for_several_macros_is_put_in_each_time(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "one.c").write_text('#define NAME one\n#include "both.inc"\n')
    (tmp_path / "train" / "two.c").write_text('#define NAME two\n#include "both.inc"\n')
    (tmp_path / "train" / "both.inc").write_text("int NAME(void);\n#undef NAME\n")
    assert amalgamate_training(tmp_path).count(b"int NAME(void);") == 2


def test_the_training_step_compiles_alone(repository: Path, tmp_path: Path) -> None:
    source = tmp_path / "train.c"
    source.write_bytes(amalgamate_training(repository / "native"))
    library = tmp_path / "train.so"
    build_library(source, library, compiler=find_compiler(), flags=["-Werror", "-Wl,--no-undefined"])
    assert library.is_file()

"""What one container has compiled, the next one finds."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import modal
import pytest

from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import Workplace, files_on, on_modal
from tsws_modal import compiled
from tsws_modal.compiled import Compiled

LIBRARY = Path("native/0123/libanswer.so")
COUNTING = b"""case "$*" in *--version*) ;; *) echo "$*" >>/workspace/compilations ;; esac; exec cc "$@"\n"""
"""A C compiler that writes down what it compiles."""


def test_a_cache_begins_with_what_the_last_one_kept(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    with Compiled(volume) as first:
        assert list(first.folder.iterdir()) == []
        (first.folder / LIBRARY).parent.mkdir(parents=True)
        (first.folder / LIBRARY).write_bytes(b"machine code")
        first.keep()
    assert not first.folder.exists()
    with Compiled(volume) as second:
        assert (second.folder / LIBRARY).read_bytes() == b"machine code"
        made = (volume / ".tsws/compiled" / LIBRARY).stat().st_mtime_ns
        second.keep()
    assert (volume / ".tsws/compiled" / LIBRARY).stat().st_mtime_ns == made, "nothing new, nothing written"


def test_what_is_half_compiled_is_not_kept(tmp_path: Path) -> None:
    with Compiled(tmp_path) as cache:
        (cache.folder / LIBRARY).parent.mkdir(parents=True)
        (cache.folder / LIBRARY).with_name(".libanswer.so.1a2b.tsws-tmp").write_bytes(b"machi")
        cache.keep()
    assert not (tmp_path / ".tsws").exists()


def test_the_oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "MOST", 2)
    for number in range(4):
        with Compiled(tmp_path) as cache:
            folder = cache.folder / "native" / str(number)
            folder.mkdir(parents=True)
            (folder / "libanswer.so").write_bytes(b"machine code")
            cache.keep()
    assert sorted(path.name for path in (tmp_path / ".tsws/compiled/native").iterdir()) == ["2", "3"]


@pytest.mark.marathon
def test_the_native_step_is_compiled_by_the_first_container_alone(
    plane: Plane, workplace: Callable[..., Workplace], tmp_path: Path
) -> None:
    name = f"box-{tmp_path.name}"[:60]
    place = workplace()
    place.write(on_modal(name, options='env = { CC = "sh /workspace/counting" }').replace('"torch"', '"native"'))
    volume = modal.Volume.from_name(name, create_if_missing=True, version=2)
    with volume.batch_upload() as batch:
        batch.put_file(io.BytesIO(COUNTING), "/counting")
    place.run("apply", "-y")
    (library,) = (path for path in files_on(plane, name) if path.startswith(".tsws/compiled/"))
    assert re.fullmatch(r"\.tsws/compiled/native/[0-9a-f]{32}/libtswstrain\.so", library)
    compilations = b"".join(volume.read_file("compilations"))
    assert b"libtswstrain.c" in compilations
    model = place.digest
    place.run("apply", "-y", "--fresh", "run.small")
    assert place.digest == model
    assert b"".join(volume.read_file("compilations")) == compilations
    assert ".tsws/compiled/" in place.run("clean", "--volume", "box", "-y")
    assert library not in files_on(plane, name)

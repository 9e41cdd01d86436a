"""The classic, as its manifest says it: fetched and unpacked next to the machine that trains, made on Modal, played at home."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.hub import HubServer
from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import Workplace, files_on
from tests.workspace.test_example import archive_of_shards
from tsws.io.digest import sha256_file

pytestmark = pytest.mark.marathon

STEPS = ["--set", "run.baby.max_iters=4", "--set", "run.baby.batch_size=2", "--set", "run.baby.eval_tokens=512"]
"""Fewer, so that a processor can take them; and one thread, so that two machines add in the same order."""
THREADS = ["--set", "run.baby.threads=1"]


@pytest.fixture
def hub(real_data: Path) -> Iterator[HubServer]:
    """The Hub with the classic's shards and tokenizer."""
    with HubServer() as server:
        tokenizer = real_data / "tok105" / "tok105.model"
        stories = "datasets/enio/TinyStories"
        server.add_hugging_face(stories, "tok105/tok105.tar.gz", archive_of_shards(tokenizer))
        server.add_hugging_face(stories, "tok105/tok105.model", tokenizer.read_bytes(), large=False)
        yield server


def classic(repository: Path, hub: HubServer, version: int) -> str:
    """The repository's own manifest; containers are told where the Hub is."""
    text = (repository / "tinystories.toml").read_text()
    variables = ", ".join(f'{name} = "{value}"' for name, value in hub.environment.items())
    text = text.replace("[backend.modal]\n", f"[backend.modal]\nenv = {{ {variables} }}\n")
    return text.replace('kind = "modal"\n', f'kind = "modal"\nname = "tinystories-v{version}"\nversion = {version}\n')


@pytest.mark.parametrize("version", [2, 1])
def test_the_classic(plane: Plane, hub: HubServer, repository: Path, tmp_path: Path, version: int) -> None:
    place = Workplace(tmp_path / "workspace", plane)
    place.write(classic(repository, hub, version))
    arguments = ["apply", "run.baby", "-y", *STEPS, *THREADS]
    said = place.run(*arguments, **hub.environment)
    assert "tok105: fetching" in said or "dataset.tok105: done" in said
    assert {"out/model.bin", "tok105.bin", "tok105.model", "tok105/data00.bin", "tok105/data45.bin"} <= set(
        files_on(plane, f"tinystories-v{version}")
    )
    assert not (place.root / "tok105").exists(), "the data stay where they are used"
    assert place.run("generate", "--run", "baby", "-n", "20", "Once upon a time", *STEPS).startswith("Once upon a time")
    assert place.run(*arguments, **hub.environment).startswith("Nothing to do: ")

    at_home = tmp_path / "at-home"
    at_home.mkdir()
    manifest = classic(repository, hub, version).replace('backend = "modal"\n', "").partition("[backend.modal]")
    tables, program = manifest[0].replace('volume = "tinystories-volume"', "#"), manifest[2].partition("[program.run]")
    (at_home / "tinystories.toml").write_text(f"{tables}\n[program.run]{program[2]}")
    done = subprocess.run(
        [sys.executable, "-m", "tsws", *arguments],
        cwd=at_home,
        env=os.environ | hub.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sha256_file(at_home / "out" / "model.bin") == sha256_file(place.root / "out" / "model.bin")

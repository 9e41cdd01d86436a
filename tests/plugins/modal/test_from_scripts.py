"""Lines of the page about scripts: every new command, as the page has it, with containers on the plane."""

from __future__ import annotations

import io
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import modal
import pytest

from tests.docs.pages import page
from tests.fixtures.hub import HubServer
from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import PATIENCE, Workplace, files_on, wait_for
from tests.workspace.test_example import archive_of_shards
from tsws.io.digest import sha256_file

pytestmark = pytest.mark.slow

FROM_SCRIPTS = page("docs/from-scripts.md")
SCRIPTS = (
    "tinystories_modular.py",
    "tinystories_data.py",
    "tinystories_trainer_v1.py",
    "transfer_model.py",
    "volume_cleanup.py",
)
VOLUME = "tinystories-volume"
SMALLER = {
    "dim = 128\nn_layers = 5\nn_heads = 8\nn_kv_heads = 4\nmax_seq_len = 256": (
        "dim = 16\nn_layers = 2\nn_heads = 2\nmax_seq_len = 32"
    ),
    "batch_size = 32\ngradient_accumulation_steps = 4\nmax_iters = 500\neval_interval = 100": (
        "batch_size = 2\nmax_iters = 500\neval_interval = 100\neval_tokens = 512\nwarmup_iters = 10\n"
        'threads = 1\nlog_interval = 100\ncheckpoint_interval = 100\nsample_prompt = ""\nschedule = "constant"\nengine = "torch"'
    ),
    'source = "native"': 'source = "native"\nflags = ["-O0"]',
}
"""The classic with a model that a processor trains in a second."""
TRAIN = "tsws apply run.baby"


def commands(script: str) -> list[str]:
    """The new commands of a script's lines."""
    lines = re.findall(r"^\| .+ \|$", FROM_SCRIPTS.part(f"## `{script}`").text, re.MULTILINE)
    return [found for line in lines for found in re.findall(r"`(tsws [^`]+)`", line)]


def manifest(repository: Path, hub: HubServer) -> str:
    """The repository's own, smaller; containers are told where the Hub is."""
    text = (repository / "tinystories.toml").read_text()
    text = text.replace('arch = "llama"\n', "")
    text = text.partition("[dataset.tok105]")[1] + text.partition("[dataset.tok105]")[2]
    for old, new in SMALLER.items():
        plain = re.sub(r" +#.*", "", text)
        assert old in plain, old
        text = plain.replace(old, new)
    variables = ", ".join(f'{name} = "{value}"' for name, value in hub.environment.items())
    return text.replace("[backend.modal]\n", f"[backend.modal]\nenv = {{ {variables} }}\n")


class Typist:
    """Types what the page says, and agrees where it is asked."""

    def __init__(self, place: Workplace, hub: HubServer) -> None:
        self.place = place
        self.hub = hub

    def words(self, command: str) -> list[str]:
        """Of a command that is on the page."""
        assert any(command in commands(script) for script in SCRIPTS), f"{command} is not on the page"
        _, *words = shlex.split(command)
        asks = words[0] in {"apply", "clean"} and "--dry-run" not in words
        return [*words, "-y"] if asks else words

    def __call__(self, command: str, *, status: int = 0) -> str:
        return self.place.run(*self.words(command), status=status, **self.hub.environment)


@pytest.fixture(scope="module")
def hub(real_data: Path) -> Iterator[HubServer]:
    """The Hub with the classic's shards and tokenizer."""
    with HubServer() as server:
        tokenizer = real_data / "tok105" / "tok105.model"
        stories = "datasets/enio/TinyStories"
        server.add_hugging_face(stories, "tok105/tok105.tar.gz", archive_of_shards(tokenizer))
        server.add_hugging_face(stories, "tok105/tok105.model", tokenizer.read_bytes(), large=False)
        yield server


@pytest.fixture(scope="module")
def workspace(
    running_plane: Plane, hub: HubServer, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Typist]:
    """One workspace for the module: every line of the page is about the same run."""
    place = Workplace(tmp_path_factory.mktemp("from-scripts") / "workspace", running_plane)
    place.write(manifest(repository, hub))
    yield Typist(place, hub)
    place.close()


@pytest.fixture(scope="module")
def trained(workspace: Typist) -> str:
    """What the first line of the page says, the first time."""
    return workspace(TRAIN)


def launches(plane: Plane) -> int:
    """How many jobs were launched in the volume."""
    return len({path.split("/")[2] for path in files_on(plane, VOLUME) if path.startswith(".tsws/jobs/")})


def test_train(workspace: Typist, trained: str) -> None:
    assert re.search(r"run.baby: the job \S+ is launched on modal \(T4\)", trained)
    assert {"out/model.bin", "tok105.bin", "tok105/data00.bin", "tok105/data45.bin"} <= set(
        files_on(workspace.place.plane, VOLUME)
    )
    assert (workspace.place.root / "out" / "model.bin").exists()
    assert "GPU" not in trained
    assert workspace(TRAIN).startswith("Nothing to do: ")
    assert workspace("tsws plan run.baby").startswith("Nothing to do: ")


def test_inference_with_a_prompt(workspace: Typist, trained: str) -> None:
    for command in (
        'tsws generate --remote --run baby -t 0.8 -n 256 "Once upon a time"',
        'tsws generate --run baby -t 0.8 -n 256 "Once upon a time"',
        'tsws generate --remote --run baby "Once upon a time"',
    ):
        assert workspace(command).startswith("Once upon a time")


def test_selected_shards_with_verification(workspace: Typist, trained: str) -> None:
    root = workspace.place.root
    wanted = [f"data{number:02}.bin" for number in (*range(10), 45)]
    workspace("tsws apply dataset.tok105")
    assert sorted(path.name for path in (root / "tok105").glob("*.bin")) == wanted
    assert workspace("tsws plan dataset.tok105").startswith("Nothing to do: ")
    shard = root / "tok105" / "data03.bin"
    whole = sha256_file(shard)
    data = bytearray(shard.read_bytes())
    data[7] ^= 1
    shard.write_bytes(data)
    assert "tok105/data03.bin" in workspace("tsws plan dataset.tok105")
    workspace("tsws apply dataset.tok105")
    assert sha256_file(shard) == whole


def test_fresh_start(workspace: Typist, trained: str) -> None:
    before = launches(workspace.place.plane)
    model = sha256_file(workspace.place.root / "out" / "model.bin")
    said = workspace("tsws apply run.baby --fresh run.baby")
    assert launches(workspace.place.plane) == before + 1
    assert re.search(r"step 100/500\b", said), "from the first step on"
    assert sha256_file(workspace.place.root / "out" / "model.bin") == model, "one seed, one model"


def test_a_longer_run_resumes(workspace: Typist, trained: str) -> None:
    said = workspace("tsws apply run.baby --set run.baby.max_iters=1000")
    assert "from step 500 to 1000" in said
    assert re.search(r"step 1000/1000\b", said)
    assert not re.search(r"step 100/1000\b", said)
    workspace(TRAIN)


def test_a_long_job_is_left_alone_looked_after_and_stopped(workspace: Typist, trained: str) -> None:
    place = workspace.place
    before = (place.root / "tinystories.toml").read_text()
    place.write(before.replace("max_iters = 500", "max_iters = 300000"))
    try:
        started = place.start(*workspace.words(TRAIN), **workspace.hub.environment)
        wait_for(lambda: "/300000" in workspace("tsws status"), what="the first step")
        started.send_signal(signal.SIGINT)
        said, _ = started.communicate(timeout=PATIENCE)
        assert started.returncode == 130, said
        assert "run.baby goes on without this client" in said
        status = workspace("tsws status")
        assert re.search(r"run\.baby: .*step \d+/300000, .* left, <?\$0\.\d+ until now, \$0\.\d\d/h", status), status
        follower = place.start(*workspace.words("tsws logs -f run.baby"))
        assert workspace("tsws cancel run.baby") == (
            "stopping run.baby after a checkpoint\nStopped; `tsws apply run.baby` continues.\n"
        )
        followed, _ = follower.communicate(timeout=PATIENCE)
        assert re.search(r"step \d+/300000, loss \d+\.\d+", followed)
        assert re.search(r"run\.baby: stopped at step \d+ of 300000, the checkpoint is written\n", followed)
    finally:
        place.write(before)
    assert workspace(TRAIN).startswith("Nothing to do: "), "the shorter run is as it was"


def test_upload_and_download(workspace: Typist, trained: str) -> None:
    model = workspace.place.root / "out" / "model.bin"
    whole = model.read_bytes()
    changed = whole[:-4] + b"\0\0\x80\x3f"
    model.write_bytes(changed)
    assert "out/model.bin" in workspace("tsws sync --push out/model.bin")
    volume = modal.Volume.from_name(VOLUME)
    assert b"".join(volume.read_file("out/model.bin")) == changed
    with volume.batch_upload(force=True) as batch:
        batch.put_file(io.BytesIO(whole), "/out/model.bin")
    assert "out/model.bin" in workspace("tsws sync --pull out/model.bin")
    assert model.read_bytes() == whole
    assert workspace(TRAIN).startswith("Nothing to do: ")


def test_clean_up(workspace: Typist, trained: str) -> None:
    plane = workspace.place.plane
    shards = {f"tok105/data{number:02}.bin" for number in (*range(10), 45)}
    there = set(files_on(plane, VOLUME))
    shown = workspace("tsws clean --volume tinystories-volume --dry-run")
    assert all(shard in shown for shard in shards)
    assert set(files_on(plane, VOLUME)) == there, "it was only shown"
    workspace("tsws clean --volume tinystories-volume")
    left = set(files_on(plane, VOLUME))
    assert not left & shards
    assert "out/model.bin" in left
    assert workspace(TRAIN).startswith("Nothing to do: "), "what went is not needed"
    assert workspace("tsws clean --volume tinystories-volume") == "Nothing to remove.\n"


def test_every_command_of_the_page_is_typed_here() -> None:
    source = Path(__file__).read_text()
    for script in SCRIPTS:
        assert commands(script)
        assert [command for command in commands(script) if command not in source] == []

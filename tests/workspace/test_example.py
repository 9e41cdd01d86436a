"""The reference manifest, whole: every table of it is made, with the Hub and the web served from this machine.

What is changed: the addresses of servers, the backend and the volume (`tests/plugins/modal/` has it as it is), and the number of steps.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.hub import HubServer
from tsws import Workspace
from tsws.io.digest import sha256_bytes, sha256_file
from tsws.text.encode import encoder_of
from tsws.text.toy_stories import story

pytestmark = pytest.mark.slow

STEPS = [
    "run.quickstart.max_iters=4",
    "run.quickstart.batch_size=2",
    "run.baby.max_iters=2",
    "run.baby.batch_size=2",
    "run.baby.gradient_accumulation_steps=2",
    "run.baby.eval_tokens=512",
    "run.quickstart.eval_tokens=512",
    "dataset.toy.stories=400",
    "run.quickstart.sample_prompt=''",
    "run.baby.sample_prompt=''",
]
"""Fewer steps, so that the whole takes seconds."""


def lines(*indexes: int) -> str:
    """Some stories, as a file."""
    return "".join(f"{story(1, index).text}\n<|endoftext|>\n" for index in indexes)


def archive_of_shards(tokenizer: Path) -> bytes:
    """``tok105.tar.gz``: eleven shards in a folder, as the Hub has them."""
    encode = encoder_of(tokenizer)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for number in [*range(10), 45]:
            data = encode([story(2, number * 40 + index).text for index in range(40)]).tobytes()
            member = tarfile.TarInfo(f"tok105/data{number:02d}.bin")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@pytest.fixture
def hub(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The Hub with everything that the example fetches."""
    with HubServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        tokenizer = real_data / "tok105" / "tok105.model"
        stories = "datasets/enio/TinyStories"
        server.add_hugging_face(stories, "tok105/tok105.tar.gz", archive_of_shards(tokenizer))
        server.add_hugging_face(stories, "tok105/tok105.model", tokenizer.read_bytes(), large=False)
        for name in ("stories260K.bin", "tok512.model"):
            data = (real_data / "stories260K" / name).read_bytes()
            server.add_hugging_face("karpathy/tinyllamas", f"stories260K/{name}", data)
        server.add("more-stories.txt.gz", gzip.compress(lines(*range(200, 300)).encode()))
        yield server


@pytest.fixture
def root(repository: Path, tmp_path: Path, hub: HubServer) -> Path:
    """The example in a folder, with a person's own stories."""
    manifest = (repository / "tests" / "manifest" / "example.toml").read_text()
    for old, new in [
        ("https://example.org/", f"{hub.url}/"),
        ('kind = "modal"', 'kind = "folder"\npath = "../volume"'),
        ('backend = "modal"', 'backend = "local"'),
        ('[backend.modal]\ngpu = "T4"\ntimeout = "1h"\nmax_cost = 5.0', "[backend.local]"),
    ]:
        assert old in manifest
        manifest = manifest.replace(old, new)
    root = tmp_path / "workspace"
    (root / "stories").mkdir(parents=True)
    (root / "stories" / "a.txt").write_text(lines(*range(100)))
    (root / "stories" / "b.txt").write_text(lines(*range(100, 200)))
    (root / "stories-valid.txt").write_text(lines(*range(300, 320)))
    manifest += '\n[run.mine]\nmodel = "tiny"\ndataset = "mine"\ntokenizer = "toy512"\nmax_iters = 2\nbatch_size = 2\neval_tokens = 512\n'
    (root / "tinystories.toml").write_text(manifest)
    return root


def test_everything_in_the_example_is_made(root: Path, hub: HubServer, real_data: Path) -> None:
    workspace = Workspace.open(root, overrides=STEPS)
    assert not workspace.warnings
    report = workspace.apply(everything=True)
    assert report.ok, [str(result.error) for result in report.failed]
    assert not workspace.plan(everything=True).changes

    # the classic was made in its volume, and its declared files came home
    for path in ("out/model.bin", "tok105.bin", "tok105.model"):
        assert sha256_file(root / path) == sha256_file(root.parent / "volume" / path)
    assert sha256_file(root / "tok105.bin") == sha256_file(real_data / "tok105" / "tok105.bin")
    shards = {path.name for path in (root.parent / "volume" / "tok105").glob("*.bin")}
    assert shards == {f"data{number:02d}.bin" for number in [*range(10), 45]}
    assert not (root / "tok105").exists(), "data are fetched where they are used"

    # somebody's finished model is playable without a run
    golden = [json.loads(line) for line in (real_data / "golden.jsonl").read_text().splitlines()]
    greedy = next(row for row in golden if "260K" in row["model"] and row["args"] == ["-t", "0", "-n", "256"])
    for engine in ("native", "torch"):
        told = "".join(workspace.generate(model="stories260K", temperature=0.0, steps=256, engine=engine))
        assert told.rstrip("\n") == greedy["text"].rstrip("\n")

    # a person's own text, from two globs' files and the web, with its own validation stories
    record = workspace.context.store.record("dataset.mine")
    assert record is not None
    assert [(output.role, output.owned) for output in record.outputs] == [
        ("train/0000", False),
        ("train/0001", False),
        ("train/0002", True),
        ("valid/0000", False),
    ]

    # what was fetched is pinned, in the volume's lock and here
    for place in (root, root.parent / "volume"):
        assert "tok105.tar.gz" in (place / "tinystories.lock").read_text()


def test_other_bytes_under_a_pinned_address_are_refused(root: Path, hub: HubServer, real_data: Path) -> None:
    target = ["tokenizer.tok512"]
    assert Workspace.open(root).apply(target).ok
    pinned = sha256_file(real_data / "stories260K" / "tok512.model")
    (root / "tok512.model").unlink()
    other = (real_data / "tok105" / "tok105.model").read_bytes()
    hub.add_hugging_face("karpathy/tinyllamas", "stories260K/tok512.model", other, commit="beefcafe" * 5)
    for name in [name for name in hub.files if pinned in name or "c0ffee" in name]:
        del hub.files[name]
    report = Workspace.open(root).apply(target)
    assert not report.ok
    (failure,) = report.failed
    assert failure.error is not None
    assert not (root / "tok512.model").exists()
    assert "tokenizer.tok512" in (failure.error.hint or "") or "commit" in failure.error.message
    replaced = Workspace.open(root).apply(target, replace=target)
    assert replaced.ok, [str(result.error) for result in replaced.failed]
    assert sha256_file(root / "tok512.model") == sha256_bytes(other)

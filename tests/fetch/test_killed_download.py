"""A download that is killed goes on in another process."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fixtures.hub import Fault, HubServer
from tsws.fetch import Fetched
from tsws.fetch.partial import MARK_BYTES

CHILD = """
import sys
from pathlib import Path
from tsws.fetch import download
from tsws_fetchers import HttpFetcher
sys.modules["tsws.fetch.download"].PROGRESS_INTERVAL = 0
def tell(done, total):
    print(int(done), flush=True)
download(sys.argv[1], Path(sys.argv[2]), fetcher=HttpFetcher(), partial=Path(sys.argv[3]), progress=tell)
"""


def test_after_a_kill_only_the_rest_is_sent(
    hub: HubServer, fetch: Callable[..., Fetched], tmp_path: Path, partial: Path
) -> None:
    data = random.Random(2).randbytes(2 * MARK_BYTES + 1_000_000)
    url = hub.add("big.bin", data)
    hub.fail("big.bin", Fault(pause_after=MARK_BYTES + 100_000))
    arguments = [sys.executable, "-c", CHILD, url, str(tmp_path / "file"), str(partial)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert any(int(line) >= MARK_BYTES for line in child.stdout)  # what it says comes after the mark
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert not (tmp_path / "file").exists()
    kept = json.loads(next(partial.glob("*.json")).read_bytes())["done"]
    assert MARK_BYTES <= kept < MARK_BYTES + (1 << 17)
    hub.resume()
    fetch(url)
    assert (tmp_path / "file").read_bytes() == data
    assert hub.gets("big.bin")[1].headers["Range"] == f"bytes={kept}-"
    assert hub.gets("big.bin")[1].sent == len(data) - kept

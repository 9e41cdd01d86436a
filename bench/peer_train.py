"""Runs llama2.c's ``train.py`` where it lies, and says what it needed: ``python peer_train.py REPORT.json SEED [ARGUMENT...]``.

Started by ``bench/training.py`` with the folder of links to llama2.c's files as working directory.
"""

from __future__ import annotations

import json
import resource
import runpy
import sys
import types
from pathlib import Path

import torch


def main() -> None:
    """Run ``train.py`` of the working directory with the arguments that follow, its seed moved by SEED."""
    report, seed = Path(sys.argv[1]), int(sys.argv[2])
    for name in ("requests", "tqdm"):  # only for its downloads
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].tqdm = None  # type: ignore[attr-defined]
    torch_seed = torch.manual_seed
    torch.manual_seed = lambda number: torch_seed(number + seed)  # type: ignore[assignment,method-assign]
    sys.path[0] = str(Path.cwd())
    sys.argv = ["train.py", *sys.argv[3:]]
    runpy.run_path("train.py", run_name="__main__")
    on_gpu = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report.write_text(json.dumps({"device_bytes": on_gpu, "rss_bytes": rss}))


if __name__ == "__main__":
    main()

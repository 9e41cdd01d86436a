from __future__ import annotations

import subprocess
import sys


def test_importing_loads_nothing_heavy():
    code = "import sys, tsws.engine; print(sorted({'torch', 'numpy', 'sentencepiece', 'modal'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

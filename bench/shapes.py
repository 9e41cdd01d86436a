"""The models that the native program is measured with, in its and its peers' formats: ``python -m bench.shapes``.

260K and 1M are real ones; 15M, 42M and 110M are llama2.c's shapes with random weights, since the speed of a dense
model does not depend on what its weights are. Each becomes a folder of five files:

    model.bin  model.q8.bin  tokenizer.bin  model.f32.gguf  model.q8_0.gguf
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn.functional import pad

from bench.gguf import BLOCK, write_gguf
from bench.llama2c_files import write_int8_model, write_tokenizer
from tsws.model.config import LlamaConfig
from tsws.model.llama2c import read_model, write_model
from tsws.text.llama2c_tokenizer import BOS_ID, Llama2cTokenizer

FOLDER = Path("build/bench")
REAL_DATA = Path(os.environ.get("TSWS_REAL_DATA", "../shared/data"))

REAL = {
    "260K": ("stories260K/stories260K.bin", "stories260K/tok512.bin"),
    "1M": ("tok105/model5000.bin", "tok105/tok105.bin"),
}
RANDOM = {
    "15M": LlamaConfig(288, 6, 6, 6, hidden_dim=768, vocab_size=32000, max_seq_len=256),
    "42M": LlamaConfig(512, 8, 8, 8, hidden_dim=1376, vocab_size=32000, max_seq_len=1024),
    "110M": LlamaConfig(768, 12, 12, 12, hidden_dim=2048, vocab_size=32000, max_seq_len=1024),
}
NAMES = [*REAL, *RANDOM]


@dataclass(frozen=True)
class Files:
    """Where the files of a model are."""

    folder: Path

    @property
    def model(self) -> Path:
        """llama2.c's version 0, float32."""
        return self.folder / "model.bin"

    @property
    def int8_model(self) -> Path:
        """llama2.c's version 2."""
        return self.folder / "model.q8.bin"

    @property
    def tokenizer(self) -> Path:
        """llama2.c's tokenizer."""
        return self.folder / "tokenizer.bin"

    @property
    def gguf(self) -> Path:
        """llama.cpp's F32."""
        return self.folder / "model.f32.gguf"

    @property
    def int8_gguf(self) -> Path:
        """llama.cpp's Q8_0."""
        return self.folder / "model.q8_0.gguf"


def make(name: str, folder: Path = FOLDER) -> Files:
    """Write the five files of a model, unless they are there."""
    files = Files(folder / name)
    if files.int8_gguf.exists():  # the last one
        return files
    files.folder.mkdir(parents=True, exist_ok=True)
    if name in REAL:
        model, tokenizer = (REAL_DATA / path for path in REAL[name])
        shutil.copyfile(model, files.model)
        shutil.copyfile(tokenizer, files.tokenizer)
        config, state = read_model(files.model)
    else:
        config = RANDOM[name]
        state = random_weights(config)
        write_model(files.model, config, state)
        pieces = made_up_pieces(config.vocab_size)
        write_tokenizer(files.tokenizer, pieces, [float(-index) for index in range(len(pieces))])
    vocabulary = Llama2cTokenizer.load(files.tokenizer, config.vocab_size)
    write_gguf(files.gguf, config, state, vocabulary.pieces, vocabulary.scores, quantize=False)
    config, state = padded(config, state)
    write_int8_model(files.int8_model, config, state)
    partial = files.int8_gguf.with_suffix(".partial")
    write_gguf(partial, config, state, vocabulary.pieces, vocabulary.scores, quantize=True)
    partial.rename(files.int8_gguf)
    return files


def random_weights(config: LlamaConfig) -> dict[str, torch.Tensor]:
    """Weights that keep activations near 1, by seed 0. BOS, which would end a story, is made the unlikeliest token."""
    generator = torch.Generator().manual_seed(0)
    dim, hidden, kv_dim = config.dim, config.hidden_dim, config.kv_dim

    def matrix(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, generator=generator).div_(columns**0.5)

    state = {"tok_embeddings.weight": matrix(config.vocab_size, dim), "norm.weight": torch.ones(dim)}
    state["tok_embeddings.weight"][BOS_ID] *= 0.01  # a logit near 0, among thousands whose greatest is far above
    for layer in range(config.n_layers):
        prefix = f"layers.{layer}"
        state[f"{prefix}.attention_norm.weight"] = torch.ones(dim)
        state[f"{prefix}.ffn_norm.weight"] = torch.ones(dim)
        for name, rows in (("wq", dim), ("wk", kv_dim), ("wv", kv_dim), ("wo", dim)):
            state[f"{prefix}.attention.{name}.weight"] = matrix(rows, dim)
        for name, rows, columns in (("w1", hidden, dim), ("w2", dim, hidden), ("w3", hidden, dim)):
            state[f"{prefix}.feed_forward.{name}.weight"] = matrix(rows, columns)
    return state


def made_up_pieces(count: int) -> list[bytes]:
    """A vocabulary with byte fallback and words of two to four letters."""
    pieces = [b"<unk>", b"\n<s>\n", b"\n</s>\n", *(b"<0x%02X>" % byte for byte in range(256)), b" "]
    words = (
        "".join(letters) for size in (1, 2, 3) for letters in itertools.product(string.ascii_lowercase, repeat=size)
    )
    pieces += (b" " + word.encode() for word in itertools.islice(words, (count - len(pieces)) // 2))
    others = ("".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=4))
    pieces += (word.encode() for word in itertools.islice(others, count - len(pieces)))
    return pieces


def padded(config: LlamaConfig, state: dict[str, torch.Tensor]) -> tuple[LlamaConfig, dict[str, torch.Tensor]]:
    """The same function with the hidden layer filled up with zeros to whole blocks.

    Without this the 260K model (hidden 172) would have groups of 4 in llama2.c, and F16 for a third of it in
    llama.cpp: neither at its best.
    """
    missing = -config.hidden_dim % BLOCK
    if not missing:
        return config, state
    state = dict(state)
    for name, tensor in state.items():
        if name.endswith(("w1.weight", "w3.weight")):
            state[name] = pad(tensor, (0, 0, 0, missing))
        elif name.endswith("w2.weight"):
            state[name] = pad(tensor, (0, missing)).contiguous()
    return replace(config, hidden_dim=config.hidden_dim + missing), state


def make_all(names: Iterable[str], folder: Path = FOLDER) -> dict[str, Files]:
    """:func:`make` for several."""
    return {name: make(name, folder) for name in names}


def main() -> None:
    """Make the models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(NAMES), help="which, default %(default)s")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to, default %(default)s")
    arguments = parser.parse_args()
    for name, files in make_all(arguments.models.split(","), arguments.folder).items():
        print(f"{name:5} {files.folder}")


if __name__ == "__main__":
    main()

"""Train many small Llamas side by side on one device: every weight has a leading axis, one model along it.

For comparing recipes by their losses, never by their time: the models of an ensemble see the same batches, differ in what
:class:`Recipe` names, and cost one step together. On a GPU a step is captured once as a graph and replayed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tsws.model.attention import rotary_angles
from tsws.model.config import LlamaConfig
from tsws.train.data import Rows, permutation
from tsws.train.muon import RMS, newton_schulz

MATRICES = ("wq", "wk", "wv", "wo", "w1", "w2", "w3")


@dataclass(frozen=True)
class Recipe:
    """What one model of an ensemble is trained with."""

    name: str
    lr: float
    """Of AdamW, at its peak; with Muon of the embedding and the norms."""
    muon_lr: float = 0.0
    """Of Muon over the matrices of the layers; 0: AdamW there, too."""
    warmup: int = 0
    schedule: str = "wsd"
    decay: float = 0.4
    """Part of the steps over which ``wsd`` falls."""
    wd: float = 0.1
    muon_wd: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    momentum: float = 0.95
    zero_init: bool = False
    """``wo`` and ``w2`` begin as zeros; else as llama2.c begins."""
    embedding_std: float = 0.02
    std: float = 0.02
    clip: float = 1.0
    seed: int = 1337


class Ensemble:
    """Models of one shape, one a recipe, and the state of their optimizers."""

    def __init__(
        self, config: LlamaConfig, recipes: Sequence[Recipe], rows: Rows, *, batch: int, steps: int, device: str
    ) -> None:
        self.config, self.recipes, self.steps, self.device = config, recipes, steps, torch.device(device)
        self.bf16 = self.device.type == "cuda"
        self.weights = {name: value.to(self.device).requires_grad_() for name, value in self._fresh().items()}
        self.cos, self.sin = (angles.to(self.device) for angles in rotary_angles(config))
        self.data = _all_rows(rows).to(self.device)
        places = np.arange(steps * batch)
        order = np.concatenate([permutation(1337, epoch, len(rows)) for epoch in range(places[-1] // len(rows) + 1)])
        order = order % len(self.data)
        self.order = torch.from_numpy(order[: steps * batch].reshape(steps, batch).copy()).to(self.device)
        self.lr = self._table(lambda r: r.lr)
        self.muon_lr = self._table(lambda r: r.muon_lr)
        self.now = torch.zeros((), dtype=torch.int64, device=self.device)
        self.m1 = {name: torch.zeros_like(p) for name, p in self.weights.items()}
        self.m2 = {name: torch.zeros_like(p) for name, p in self.weights.items()}
        self.loss = torch.zeros(len(recipes), device=self.device)
        has_muon = {r.muon_lr > 0 for r in recipes}
        if len(has_muon) > 1:
            raise ValueError("an ensemble is all of Muon or all of AdamW")
        self.has_muon = has_muon.pop()
        self._graph: torch.cuda.CUDAGraph | None = None
        self._clip = self._wide(lambda r: r.clip or math.inf)
        self._b1, self._b2 = self._wide(lambda r: r.beta1), self._wide(lambda r: r.beta2)
        self._wd, self._mwd = self._wide(lambda r: r.wd), self._wide(lambda r: r.muon_wd)
        self._mu = self._wide(lambda r: r.momentum)

    def _fresh(self) -> dict[str, Tensor]:
        c = self.config
        shapes = {
            "wq": (c.dim, c.dim),
            "wk": (c.kv_dim, c.dim),
            "wv": (c.kv_dim, c.dim),
            "wo": (c.dim, c.dim),
            "w1": (c.hidden_dim, c.dim),
            "w2": (c.dim, c.hidden_dim),
            "w3": (c.hidden_dim, c.dim),
        }
        out: dict[str, list[Tensor]] = {}
        for r in self.recipes:
            g = torch.Generator().manual_seed(r.seed)
            out.setdefault("emb", []).append(torch.randn(c.vocab_size, c.dim, generator=g) * r.embedding_std)
            out.setdefault("norms", []).append(torch.ones(2 * c.n_layers + 1, c.dim))
            for name, shape in shapes.items():
                small = name in ("wo", "w3") and not r.zero_init
                std = r.std / (2 * c.n_layers) ** 0.5 if small else r.std
                weight = torch.randn(c.n_layers, *shape, generator=g) * std
                out.setdefault(name, []).append(weight * (0.0 if r.zero_init and name in ("wo", "w2") else 1.0))
        return {name: torch.stack(values) for name, values in out.items()}

    def _table(self, of: Callable[[Recipe], float]) -> Tensor:
        """(steps, models)"""
        columns = [[of(r) * _factor(r, step, self.steps) for step in range(self.steps)] for r in self.recipes]
        return torch.tensor(columns, dtype=torch.float32).T.contiguous().to(self.device)

    def _wide(self, of: Callable[[Recipe], float]) -> Tensor:
        return torch.tensor([of(r) for r in self.recipes], device=self.device)

    def losses(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of each model on the same rows, ``(models,)``."""
        c, weights = self.config, self.weights
        models, (batch, seq) = len(self.recipes), tokens.shape
        half = torch.bfloat16 if self.bf16 else torch.float32
        shift = torch.arange(models, device=tokens.device).view(-1, 1, 1) * c.vocab_size
        x = functional.embedding(tokens + shift, weights["emb"].flatten(0, 1))  # (models, batch, seq, dim)

        def norm(x: Tensor, which: int) -> Tensor:
            scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + c.norm_eps)
            return (x * scale * weights["norms"][:, which, None, None]).to(half).flatten(1, 2)

        def linear(x: Tensor, name: str, layer: int) -> Tensor:
            return torch.bmm(x, weights[name][:, layer].to(half).transpose(1, 2))

        def heads(x: Tensor) -> Tensor:
            return x.view(models * batch, seq, -1, c.head_size)

        def turn(x: Tensor) -> Tensor:
            even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
            cos, sin = self.cos[:seq, None], self.sin[:seq, None]
            return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).to(half)

        groups = c.n_heads // c.n_kv_heads
        for layer in range(c.n_layers):
            h = norm(x, 2 * layer)
            q = turn(heads(linear(h, "wq", layer))).transpose(1, 2)
            k = turn(heads(linear(h, "wk", layer))).transpose(1, 2).repeat_interleave(groups, 1)
            v = heads(linear(h, "wv", layer)).transpose(1, 2).repeat_interleave(groups, 1)
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            mixed = mixed.transpose(1, 2).reshape(models, batch * seq, -1)
            x = x + linear(mixed, "wo", layer).view_as(x)
            h = norm(x, 2 * layer + 1)
            h = functional.silu(linear(h, "w1", layer)) * linear(h, "w3", layer)
            x = x + linear(h, "w2", layer).view_as(x)
        logits = torch.bmm(norm(x, 2 * c.n_layers), weights["emb"].to(half).transpose(1, 2))
        loss = functional.cross_entropy(
            logits.float().flatten(0, 1), targets.flatten().repeat(models), reduction="none"
        )
        return loss.view(models, -1).mean(1)

    def step(self) -> None:
        """Take one step; on a GPU from the third on as a graph."""
        if self.device.type != "cuda":
            return self._step()
        if self._graph is None:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            kept = [t.detach().clone() for t in self._state()]
            with torch.cuda.stream(stream):
                for _ in range(2):
                    self._step()
            torch.cuda.current_stream().wait_stream(stream)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._step()
            with torch.no_grad():
                for t, k in zip(self._state(), kept, strict=True):
                    t.copy_(k)
        self._graph.replay()
        return None

    def _state(self) -> list[Tensor]:
        return [*self.weights.values(), *self.m1.values(), *self.m2.values(), self.now, self.loss]

    def _step(self) -> None:
        now = self.now.view(1)
        rows = self.data.index_select(0, self.order.index_select(0, now)[0])
        losses = self.losses(rows[:, :-1], rows[:, 1:])
        names = list(self.weights)
        grads = dict(zip(names, torch.autograd.grad(losses.sum(), [self.weights[n] for n in names]), strict=True))
        with torch.no_grad():
            square = torch.stack([g.flatten(1).square().sum(1) for g in grads.values()]).sum(0)
            clip = (self._clip / (square.sqrt() + 1e-6)).clamp(max=1.0)
            lr, muon_lr = self.lr.index_select(0, now)[0], self.muon_lr.index_select(0, now)[0]
            t = (self.now + 1).float()
            for name in names:
                g = grads[name] * _like(clip, grads[name])
                if name in MATRICES and self.has_muon:
                    self._muon(name, g, muon_lr)
                else:
                    self._adam(name, g, lr, t)
            self.loss.copy_(losses)
            self.now += 1

    def _adam(self, name: str, g: Tensor, lr: Tensor, t: Tensor) -> None:
        p, m1, m2 = self.weights[name], self.m1[name], self.m2[name]
        b1, b2 = _like(self._b1, g), _like(self._b2, g)
        m1.lerp_(g, 1 - b1)
        m2.lerp_(g.square(), 1 - b2)
        lr = _like(lr, g)
        if name in MATRICES or name == "emb":
            p.mul_(1 - lr * _like(self._wd, g))
        p.sub_(lr * (m1 / (1 - b1**t)) / ((m2 / (1 - b2**t)).sqrt() + 1e-8))

    def _muon(self, name: str, g: Tensor, lr: Tensor) -> None:
        p, m = self.weights[name], self.m1[name]
        mu = _like(self._mu, g)
        m.lerp_(g, 1 - mu)
        update = newton_schulz(g.lerp(m, mu).flatten(0, -3)).view_as(g)
        lr = _like(lr, g)
        p.mul_(1 - lr * _like(self._mwd, g))
        p.sub_(lr * (RMS * max(p.shape[-2:]) ** 0.5) * update)

    @torch.no_grad()
    def evaluate(self, rows: Tensor, batch: int = 64) -> list[float]:
        """Mean loss of each model over all rows given, ``(rows, seq + 1)``."""
        total = torch.zeros(len(self.recipes), device=self.device, dtype=torch.float64)
        rows = rows.to(self.device)
        for first in range(0, len(rows), batch):
            part = rows[first : first + batch]
            total += self.losses(part[:, :-1], part[:, 1:]).double() * len(part)
        return [float(x) for x in total / len(rows)]


def _factor(r: Recipe, step: int, steps: int) -> float:
    if step < r.warmup:
        return step / r.warmup if r.schedule == "cosine" else (step + 1) / (r.warmup + 1)
    if r.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (step - r.warmup) / (steps - r.warmup)))
    start = max(r.warmup, steps - round(r.decay * steps))
    return 1.0 if step < start else (steps - step) / (steps - start)


def _like(wide: Tensor, g: Tensor) -> Tensor:
    return wide.view(-1, *[1] * (g.dim() - 1))


def _all_rows(rows: Rows) -> Tensor:
    """``(rows, seq + 1)``"""
    inputs, targets = rows.take(range(len(rows)))
    return torch.cat((inputs, targets[:, -1:]), 1)


def run(
    config: LlamaConfig,
    recipes: Sequence[Recipe],
    train: Rows,
    val: Rows,
    *,
    batch: int,
    steps: int,
    evaluations: Sequence[int],
    device: str,
) -> dict[str, dict[int, float]]:
    """Train an ensemble; the validation loss of each recipe after some steps."""
    ensemble = Ensemble(config, recipes, train, batch=batch, steps=steps, device=device)
    val_rows = _all_rows(val)
    out: dict[str, dict[int, float]] = {r.name: {} for r in recipes}
    for step in range(1, steps + 1):
        ensemble.step()
        if step in evaluations:
            for r, loss in zip(recipes, ensemble.evaluate(val_rows), strict=True):
                out[r.name][step] = loss
    return out

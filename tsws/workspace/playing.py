"""Playing a model: its words as they come, stories side by side, or the model itself in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tsws.engine import Manner, Told, fits_argument, play, play_many
from tsws.engine.seeds import usable_seed
from tsws.errors import UsageError
from tsws.workspace.context import Context
from tsws.workspace.playables import Player, find_playable, find_program
from tsws.workspace.torch_engine import Engine, choose_engine, tell

if TYPE_CHECKING:
    from tsws.engine.library import Model

Precision = Literal["int8", "float32"]
_FEW = 1 << 62
"""Seeds that are chosen here lie below: those that follow are far from the last one."""


class Storyteller:
    """The part of a workspace's face that plays models."""

    context: Context

    def generate(
        self,
        prompt: str = "",
        *,
        run: str | None = None,
        model: str | Path | None = None,
        tokenizer: str | Path | None = None,
        engine: Engine | None = None,
        temperature: float = 1.0,
        top_p: float = 0.9,
        steps: int = 256,
        seed: int | None = None,
        pretty: bool = False,
        threads: int | None = None,
        precision: Precision | None = None,
    ) -> Iterator[str]:
        """A story, piece by piece as it is told, the prompt included.

        Args:
            prompt: how the story begins.
            run: whose model to play; None: the default run's.
            model: a ``[model.*]`` with a source, by name, or a model file.
            tokenizer: for a model file, its tokenizer's ``.bin``.
            engine: ``native``, the compiled program, or ``torch``; None: torch for what only that can play.
            temperature: 0 takes the likeliest token every time.
            top_p: sample from the likeliest tokens of so much probability.
            steps: tokens at most; 0: as many as the context holds.
            seed: of the sampling, from 0; None: another story each time.
            pretty: show ``<unk>`` as a newline where the vocabulary has none; only the native program of tsws can.
            threads: of the native program; None: as many as make it faster. The story is the same.
            precision: of the native program's arithmetic; None: what the file has.

        Raises:
            UsageError: an option that what plays it does not know.
            TswsError: there is nothing to play yet; the hint says what to do.
        """
        playable = find_playable(self.context, run=run, model=model, tokenizer=tokenizer)
        chosen = usable_seed(seed)
        if choose_engine(playable, engine) == "torch":
            _refuse("the engine torch", threads=threads, precision=precision)
            yield from tell(
                playable, self.context.plugins, prompt, temperature=temperature, top_p=top_p, steps=steps, seed=chosen
            )
            return
        player = find_program(self.context)
        manner = Manner(
            temperature=temperature, top_p=top_p, steps=steps, pretty=pretty, threads=threads, precision=precision
        )
        yield from play(
            player.path,
            playable.model,
            playable.tokenizer,
            prompt=prompt,
            seed=chosen,
            manner=_fitting(player, manner, prompt),
        )

    def engine(
        self, *, run: str | None = None, model: str | Path | None = None, tokenizer: str | Path | None = None
    ) -> Engine:
        """What plays a model where nobody asks for another engine.

        Raises:
            TswsError: there is nothing to play yet.
        """
        return choose_engine(find_playable(self.context, run=run, model=model, tokenizer=tokenizer), None)

    def stories(
        self,
        prompt: str = "",
        *,
        count: int,
        seed: int | None = None,
        run: str | None = None,
        model: str | Path | None = None,
        tokenizer: str | Path | None = None,
        engine: Engine | None = None,
        **manner: Any,
    ) -> Iterator[Told]:
        """Whole stories, one after another as they end; the native program of tsws tells them side by side.

        Args:
            count: how many.
            seed: of the first; the others have the seeds that follow.
            manner: as the other arguments, what :meth:`generate` takes.

        Raises:
            TswsError: as :meth:`generate`.
        """
        what: dict[str, Any] = {"run": run, "model": model, "tokenizer": tokenizer}
        playable = find_playable(self.context, **what)
        first = seed if seed is not None else usable_seed(None) % _FEW
        player = find_program(self.context) if choose_engine(playable, engine) == "native" else None
        if player is None or not player.is_ours:
            for number in range(first, first + count):
                began = time.monotonic()
                text = "".join(self.generate(prompt, seed=number, engine=engine, **what, **manner))
                yield Told(prompt=prompt, text=text, seed=number, seconds=time.monotonic() - began)
            return
        how: dict[str, Any] = {"prompt": prompt, "manner": Manner(**manner)}
        files = player.path, playable.model, playable.tokenizer
        zero = 1 if first == 0 else 0  # what stands for seed 0 is not followed by 1
        for story in play_many(*files, seed=usable_seed(0), count=zero, **how) if zero else ():
            yield replace(story, seed=0)
        if zero < count:
            yield from play_many(*files, seed=first + zero, count=count - zero, **how)

    def model(
        self,
        name: str | Path | None = None,
        *,
        run: str | None = None,
        tokenizer: str | Path | None = None,
        precision: Precision | Literal["stored"] = "stored",
        exact: bool = False,
        threads: int = 0,
    ) -> Model:
        """A model in this process, for streaming, batches and scoring: a run's, or a finished one by name or file.

        >>> with workspace.model(run="baby") as model:
        ...     model.score("Once upon a time").mean()

        See :class:`tsws.engine.library.Model`.

        Raises:
            TswsError: it does not exist (yet), or there is no C compiler.
        """
        from tsws.engine.library import Model

        found = find_playable(self.context, run=run, model=name, tokenizer=tokenizer)
        return Model.open(found.model, found.tokenizer, precision=precision, exact=exact, threads=threads)


def _fitting(player: Player, manner: Manner, prompt: str) -> Manner:
    """How a program can tell a story: somebody's own does not know ``--pretty``, and does without.

    Raises:
        UsageError: it does not know what was asked for.
    """
    if player.is_ours:
        return manner
    what = f"{player.address}, which is made from {player.source},"
    _refuse(what, threads=manner.threads, precision=manner.precision)
    if not fits_argument(prompt):
        raise UsageError(
            f"{what} takes no prompt of this length, or with a NUL in it",
            hint="shorten the prompt, or play it with the engine torch",
        )
    return replace(manner, pretty=False)


def _refuse(what: str, *, threads: int | None, precision: Precision | None) -> None:
    for name, value in {"threads": threads, "precision": precision}.items():
        if value is not None:
            raise UsageError(
                f"{what} can not be told the {name}", hint='leave it out, or play with the program of source = "native"'
            )

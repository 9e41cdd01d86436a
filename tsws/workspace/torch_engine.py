"""Playing a model with torch: any architecture that tells stories, and llama2.c's models, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from tsws.errors import PluginError, UsageError
from tsws.plugin import Plugins
from tsws.workspace.playables import Playable

if TYPE_CHECKING:
    from torch import nn

Engine = Literal["native", "torch"]


def choose_engine(playable: Playable, wanted: Engine | None) -> Engine:
    """What plays a model; None leaves the choice.

    Raises:
        UsageError: the native program was asked for by name and can not.
    """
    if wanted == "native" and playable.needs_torch:
        raise UsageError(
            f"the native program can not play {playable.label}: it is no llama2.c model", hint="leave out the engine"
        )
    return wanted or ("torch" if playable.needs_torch else "native")


def tell(
    playable: Playable, plugins: Plugins, prompt: str, *, temperature: float, top_p: float, steps: int, seed: int
) -> Iterator[str]:
    """A story, piece by piece; the arguments are those of :meth:`tsws.workspace.playing.Storyteller.generate`.

    Raises:
        TswsError: the file is damaged, or nobody provides its architecture, or that tells no stories.
    """
    from tsws.model.generate import Storyteller
    from tsws.resources.telling import story

    model = load_model(playable, plugins)
    if not isinstance(model, Storyteller):
        raise UsageError(f"{playable.label} can not be played: its architecture tells no stories")
    yield from story(model, playable.tokenizer, prompt, temperature=temperature, top_p=top_p, steps=steps, seed=seed)


def load_model(playable: Playable, plugins: Plugins) -> nn.Module:
    """A model with its weights.

    Raises:
        TswsError: the file is damaged, or nobody provides its architecture.
    """
    from tsws.model.llama import Llama
    from tsws.model.llama2c import read_model
    from tsws.model.weights import load_weights, read_config

    if not playable.needs_torch:
        llama, weights = read_model(playable.model)
        model: nn.Module = Llama(llama)
    else:
        config, weights = read_config(playable.model), load_weights(playable.model)
        name = str(config.get("arch", "llama"))
        if name not in plugins.architectures:
            raise PluginError(f"{playable.label} can not be played: no plugin provides the architecture {name!r}")
        model = plugins.architectures[name]().build(config)
    model.load_state_dict(weights)
    return model

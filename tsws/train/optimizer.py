"""A run's optimizers over a model's parameters, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from tsws.errors import FormatError
from tsws.train.muon import Muon, Polar
from tsws.train.recipe import Hyperparameters


def build_optimizers(model: nn.Module, h: Hyperparameters, polar: Polar | None = None) -> tuple[Optimizer, ...]:
    """AdamW (arXiv:1711.05101), fused into one kernel; with ``optimizer = "muon"`` Muon for the matrices of the blocks.

    Matrices decay, vectors (norms) do not.

    Args:
        model: whose parameters they update.
        h: the numbers.
        polar: makes Muon's updates orthogonal; None: torch does.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    of_muon = block_matrices(model) if h.optimizer == "muon" else []
    muon_ids = set(map(id, of_muon))
    rest = [parameter for parameter in parameters if id(parameter) not in muon_ids]
    groups = [
        {"params": [parameter for parameter in rest if parameter.dim() >= 2], "weight_decay": h.weight_decay},
        {"params": [parameter for parameter in rest if parameter.dim() < 2], "weight_decay": 0.0},
    ]
    adamw = AdamW(groups, lr=h.learning_rate, betas=(h.beta1, h.beta2), fused=True)
    if not of_muon:
        return (adamw,)
    muon = Muon(of_muon, lr=h.learning_rate, momentum=h.momentum, weight_decay=h.weight_decay, polar=polar)
    return (muon, adamw)


def block_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The weights of linear layers inside a model's repeated blocks: what Muon is for. Embeddings and classifiers are none."""
    found: dict[int, nn.Parameter] = {}
    for blocks in model.modules():
        if isinstance(blocks, nn.ModuleList):
            for layer in blocks.modules():
                if isinstance(layer, nn.Linear) and layer.weight.requires_grad:
                    weight = layer.get_parameter("weight")
                    found[id(weight)] = weight
    return list(found.values())


def set_learning_rate(optimizers: Sequence[Optimizer], rate: float) -> None:
    """The learning rate of the next step."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def optimizer_tensors(model: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Everything that the optimizers remember: ``<parameter>/<what>`` to a tensor on the CPU."""
    return {
        f"{name}/{key}": value.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        for optimizer in optimizers
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizers(model: nn.Module, optimizers: Sequence[Optimizer], tensors: Mapping[str, Tensor]) -> None:
    """The inverse of :func:`optimizer_tensors`.

    Raises:
        FormatError: the tensors are another model's.
    """
    by_parameter: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        parameter, _, key = name.rpartition("/")
        by_parameter.setdefault(parameter, {})[key] = tensor
    names = {parameter: name for name, parameter in model.named_parameters()}
    orders = [
        [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]
        for optimizer in optimizers
    ]
    if {name for order in orders for name in order} != set(by_parameter):
        raise FormatError("the checkpoint's optimizer belongs to another model", hint="train the run again")
    for optimizer, order in zip(optimizers, orders, strict=True):
        state = optimizer.state_dict()
        state["state"] = {index: by_parameter[name] for index, name in enumerate(order)}
        optimizer.load_state_dict(state)

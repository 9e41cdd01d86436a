"""AdamW over a model's parameters, and its state as named tensors."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from tsws.errors import FormatError
from tsws.train.recipe import Hyperparameters


def build_optimizer(model: nn.Module, h: Hyperparameters) -> Optimizer:
    """AdamW (arXiv:1711.05101); matrices decay, vectors (norms) do not. Fused into one kernel."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in parameters if parameter.dim() >= 2]
    vectors = [parameter for parameter in parameters if parameter.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": h.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=h.learning_rate, betas=(h.beta1, h.beta2), fused=True)


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def optimizer_tensors(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Everything that the optimizer remembers: ``<parameter>/<what>`` to a tensor on the CPU."""
    return {
        f"{name}/{key}": value.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(model: nn.Module, optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of :func:`optimizer_tensors`.

    Raises:
        FormatError: the tensors are another model's.
    """
    by_parameter: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        parameter, _, key = name.rpartition("/")
        by_parameter.setdefault(parameter, {})[key] = tensor
    names = {parameter: name for name, parameter in model.named_parameters()}
    order = [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]
    if set(order) != set(by_parameter):
        raise FormatError("the checkpoint's optimizer belongs to another model", hint="train the run again")
    state = optimizer.state_dict()
    state["state"] = {index: by_parameter[name] for index, name in enumerate(order)}
    optimizer.load_state_dict(state)

"""Training runs: every finished version is kept, and a longer run continues a shorter one where the schedule allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsws.errors import FormatError, PluginError, TswsError
from tsws.io.durations import parse_duration
from tsws.manifest.outputs import run_out
from tsws.manifest.specs import BackendSpec, DatasetSpec, Manifest, ModelSpec, RunSpec
from tsws.plugin import Architecture, Plugins
from tsws.reconcile.action import Change, Estimate
from tsws.reconcile.facts import Facts, Version
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result
from tsws.resources.active_jobs import missing_backend, open_backend
from tsws.resources.extending import CHECKPOINTS, agreement, checkpoint_folder, common_step
from tsws.resources.memory import MEMORY, Machines, memory_notes, memory_words
from tsws.resources.model_fields import model_fields, sizes_of
from tsws.resources.rates import keep_rate, measured_rate, priced
from tsws.resources.shards import chosen_shards, shard_files
from tsws.resources.tokens import tokens_address, train_and_validation
from tsws.train.recipe import Hyperparameters, resolve

if TYPE_CHECKING:
    from tsws.train.settings import TrainData

BEST, LAST, METRICS, SAMPLES = "best", "last", "metrics", "samples"
"""Roles of a run's files: weights of the best evaluation, of the last step, what was measured, and what was told."""
TORCH_FILES = ("checkpoint.pt", "model_best.pt")
"""In the order in which a run looks for a beginning."""

_SHOWN = ("backend", "device", "engine", "compile", "gradient_checkpointing", "threads", "processes", "nodes")
"""Operational keys of a run that a plan can show."""
_TOLD = (*_SHOWN[1:], "log_interval")
"""Operational keys that the trainer takes as they are."""


def tokenizer_of(run: RunSpec, manifest: Manifest) -> str:
    """The name of a run's tokenizer: its own, or the one that its shards were made with.

    Raises:
        TswsError: it has none.
    """
    name = run.tokenizer or manifest.dataset[run.dataset].tokenizer
    if name is None:
        raise TswsError(f"the dataset {run.dataset} comes without a tokenizer", hint="give the run a `tokenizer`")
    return name


def run_resource(name: str, spec: RunSpec, manifest: Manifest, plugins: Plugins, root: Path) -> Resource:
    """The resource of one ``[run.NAME]`` that works in its own workspace."""
    dataset, model = manifest.dataset[spec.dataset], manifest.model[spec.model]
    tokenizer = tokenizer_of(spec, manifest)
    shards = dataset.format == "shards"
    data = f"dataset.{spec.dataset}" if shards else tokens_address(spec.dataset, tokenizer)
    architecture = plugins.architectures.get(model.arch)
    backend = manifest.backend.get(spec.backend)
    kind = backend.kind if backend else None
    blocked: tuple[str, str] | tuple[None, None] = (None, None)
    if architecture is None:
        known = ", ".join(sorted(plugins.architectures)) or "none"
        blocked = (f"no plugin provides the architecture {model.arch!r}", f"known architectures: {known}")
    elif (kind or spec.backend) not in plugins.backends:
        blocked = missing_backend(kind or spec.backend, plugins)
    rule = RunRule(name, spec, dataset, model, data, f"tokenizer.{tokenizer}", backend, plugins, root)
    return Resource(
        address=f"run.{name}",
        rule=rule,
        identity={
            "model": model_fields(model) | {"arch_version": architecture.version if architecture else 0},
            "data": {"train": dataset.train, "val": dataset.val} if shards else {},
            "train": asdict(rule.hyperparameters()),
        },
        operational={name: getattr(spec, name) for name in _SHOWN},
        inputs=(data, f"tokenizer.{tokenizer}"),
        outputs=tuple(f"{run_out(name, spec)}/{file}" for file in _files(architecture)),
        versions=f".tsws/runs/{name}",
        blocked=blocked[0],
        blocked_hint=blocked[1],
        dispatched=True,
    )


def _files(architecture: type[Architecture] | None) -> tuple[str, ...]:
    """What a run leaves in its folder."""
    files = ("metrics.jsonl", "samples.jsonl")
    return (*files, *TORCH_FILES) if architecture is not None and architecture.torch_checkpoints else files


@dataclass(frozen=True)
class RunRule(BaseRule):
    """Train, in the process that calls: a worker's."""

    name: str
    spec: RunSpec
    dataset: DatasetSpec
    model: ModelSpec
    data: str
    """Address of the token shards."""
    tokenizer: str
    """Address of the tokenizer."""
    backend: BackendSpec | None
    """The table of its backend, where there is one."""
    plugins: Plugins
    root: Path

    version = 1

    def hyperparameters(self) -> Hyperparameters:
        """All the numbers, the recipe's among them."""
        given = {field: getattr(self.spec, field) for field in self.spec.__struct_fields__}
        return resolve(self.spec.recipe, given, dim=self.model.dim, max_seq_len=self.model.max_seq_len)

    def progress_of(self, folder: Path) -> Mapping[str, Any]:
        """How far a version is, and the steps that it has checkpoints of."""
        steps = sorted(
            int(path.parent.name)
            for path in folder.glob(f"{CHECKPOINTS}/*/manifest.json")
            if path.parent.name.isdigit()
        )
        return {"step": steps[-1], "checkpoints": steps} if steps else {}

    def continues(self, resource: Resource, versions: Sequence[Version]) -> tuple[Version, str] | None:
        """The version with the latest checkpoint that is also one of the wanted run."""
        wanted = self.hyperparameters()
        best: tuple[int, Version] | None = None
        for version in versions:
            step = common_step(version, resource, wanted)
            if step > 0 and (best is None or step > best[0]):
                best = (step, version)
        if best is None:
            return None
        step, version = best
        return version, f"extends version {version.fingerprint} from step {step} to {wanted.max_iters}"

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:
        """Time from the rate that was measured here last."""
        if change is Change.RESTORE or (change is Change.REPAIR and facts.versions):
            return None
        wanted = self.hyperparameters()
        done = self._steps_taken(resource, facts, wanted)
        per_step = wanted.batch_size * wanted.gradient_accumulation_steps * self.model.max_seq_len
        tokens = max(0, wanted.max_iters - done) * per_step
        sizes = sizes_of(self.model, facts.record.notes.get("vocab_size") if facts.record else None)
        flops = tokens * sizes.flops_per_token(training=True)
        rate = measured_rate(self.root, self.spec.backend)
        memory = memory_words(sizes, wanted, self._machines(), resource.identity, facts.record)
        work = f"{memory}; {tokens / 1e6:.1f}M tokens"
        table = self.backend or BackendSpec()
        backend = open_backend(
            self.spec.backend, table.kind or self.spec.backend, table.options, self.plugins, self.root
        )
        if rate is None:
            return priced(backend, None, f"{work}; the time is known after the first run here")
        return priced(backend, flops / rate, f"{work} at the measured {rate / 1e9:.0f} GFLOP/s")

    def _machines(self) -> Machines:
        return Machines(self.spec.processes, self.spec.nodes)

    def _steps_taken(self, resource: Resource, facts: Facts, wanted: Hyperparameters) -> int:
        return max((common_step(version, resource, wanted) for version in facts.versions), default=0)

    def make(self, making: Making) -> Result:
        """Train to the end, from wherever an earlier try or an earlier version left off."""
        from tsws.resources.telling import teller
        from tsws.train.loop import train
        from tsws.train.machine import describe_machine, peak_memory
        from tsws.train.settings import TrainSettings

        config = self._config(making)
        architecture = self._architecture()
        settings = TrainSettings(
            hyperparameters=self.hyperparameters(),
            config=config,
            address=making.resource.address,
            **{name: getattr(self.spec, name) for name in _TOLD},
            torch_files=architecture.torch_checkpoints,
            checkpoint_interval=_interval(self.spec.checkpoint_interval),
            sample_prompt=self.spec.sample_prompt,
        )
        tokenizer = making.input_path(self.tokenizer, "tokenizer.bin")
        result = train(
            settings,
            self._train_data(making),
            making.folder,
            architecture_build=lambda: architecture.build(config),
            emit=making.emit,
            stop=making.stop,
            start_from=self._start(making),
            found=self._found(making) if architecture.torch_checkpoints else (),
            tell=teller(tokenizer, self.spec.sample_prompt, seed=self.spec.seed or 1),
        )
        out = run_out(self.name, self.spec)
        files = [
            Made(BEST, making.folder / "best.safetensors"),
            Made(LAST, making.folder / "last.safetensors"),
            Made(METRICS, making.folder / "metrics.jsonl", f"{out}/metrics.jsonl", essential=False),
            Made(SAMPLES, making.folder / "samples.jsonl", f"{out}/samples.jsonl", essential=False),
        ]
        if architecture.torch_checkpoints:
            files += [Made(name, making.folder / name, f"{out}/{name}", essential=False) for name in TORCH_FILES]
        self._keep_rate(config, result.tokens, result.seconds)
        notes = {
            "step": result.step,
            "train_loss": result.train_loss,
            "val_loss": result.val_loss,
            "best_val_loss": result.best_val_loss,
            "tokens": result.tokens,
            "seconds": result.seconds,
            "vocab_size": config["vocab_size"],
            "machine": describe_machine(self.spec.device),
            MEMORY: memory_notes(peak_memory(self.spec.device), settings.hyperparameters, self._machines()),
        }
        return Result(files, notes)

    def _keep_rate(self, config: Mapping[str, Any], tokens: int, seconds: float) -> None:
        if seconds > 0:
            flops = tokens * sizes_of(self.model, config["vocab_size"]).flops_per_token(training=True)
            keep_rate(self.root, self.spec.backend, flops / seconds)

    def _architecture(self) -> Architecture:
        found = self.plugins.architectures.get(self.model.arch)
        if found is None:
            raise PluginError(f"run.{self.name}: no plugin provides the architecture {self.model.arch!r}")
        return found()

    def _config(self, making: Making) -> dict[str, Any]:
        pieces = int(making.inputs[self.tokenizer].notes["vocab_size"])
        vocab_size = self.model.vocab_size or pieces
        if vocab_size != pieces:
            raise FormatError(
                f"run.{self.name}: the model has {vocab_size} tokens, its tokenizer {pieces}",
                hint=f"set vocab_size of model.{self.spec.model} to {pieces}, or leave it out",
            )
        return {**model_fields(self.model), "vocab_size": vocab_size}

    def _train_data(self, making: Making) -> TrainData:
        from tsws.train.settings import TrainData

        record = making.inputs[self.data]
        if self.dataset.format != "shards":
            train, val = train_and_validation(record, making.root)
            return TrainData(tuple(train), tuple(val))
        shards = shard_files(record, making.root)
        return TrainData(*chosen_shards(making.resource.address, self.dataset, shards))

    def _found(self, making: Making) -> list[Path]:
        """Weights in the run's folder that are a person's: not what a version of the run has left there."""
        from tsws.io.digest import sha256_file
        from tsws.reconcile.store import Store

        if making.anew:
            return []
        record = Store(making.root).record(making.resource.address)
        ours = {output.sha256 for output in record.outputs} if record else set()
        places = [making.root / run_out(self.name, self.spec) / name for name in TORCH_FILES]
        return [path for path in places if path.is_file() and sha256_file(path) not in ours]

    def _start(self, making: Making) -> Path | None:
        """The checkpoint of the version that is extended."""
        if making.predecessor is None:
            return None
        from tsws.reconcile.store import read_intent

        intent = read_intent(making.predecessor / "intent.json")
        progress = self.progress_of(making.predecessor)
        if intent is None or not progress:
            return None
        limit = agreement(intent.identity, making.resource, self.hyperparameters())
        steps = [step for step in progress["checkpoints"] if step <= limit]
        return checkpoint_folder(making.predecessor, steps[-1]) if steps else None


def _interval(value: str | int) -> int | float:
    """Steps as they are, a duration in seconds."""
    return value if isinstance(value, int) else parse_duration(value)

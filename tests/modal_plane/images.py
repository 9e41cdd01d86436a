"""Images: nothing is built, the local interpreter stands in for every one of them.

What is kept of an image is what changes how a container runs: the variables that it sets, and the files that were copied into it.
"""

from __future__ import annotations

import hashlib
import platform
import shlex
from dataclasses import dataclass, field
from time import time, time_ns
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.environments import IMAGE_BUILDER
from tests.modal_plane.faults import BuildFailure
from tests.modal_plane.logs import Line, Logs
from tests.modal_plane.state import State
from tests.modal_plane.wire import Service

SUCCESS = api_pb2.GenericResult.GENERIC_STATUS_SUCCESS
FAILURE = api_pb2.GenericResult.GENERIC_STATUS_FAILURE
BUILDER = "ap-builder"
"""The app that builds images."""


@dataclass
class Image:
    """One layer on its bases."""

    id: str
    definition: api_pb2.Image
    failure: BuildFailure | None = None
    log: list[str] = field(default_factory=list)


class Images:
    """The images by id. The same definition is the same image, which is not built again unless it failed."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self.known: dict[str, Image] = {}

    def get(self, image_id: str) -> Image:
        """The image of an id.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        if image_id not in self.known:
            raise GRPCError(Status.NOT_FOUND, f"Image '{image_id}' not found")
        return self.known[image_id]

    def build(self, definition: api_pb2.Image, *, again: bool) -> tuple[Image, bool]:
        """Find or build an image; the second value says whether it was there."""
        digest = hashlib.sha256(definition.SerializeToString(deterministic=True)).hexdigest()
        image_id = f"im-{digest[:22]}"
        found = self.known.get(image_id)
        if found is not None and found.failure is None and not again:
            return found, True
        failure = self._plane.faults.build
        log = [f"=> {command}\n" for command in definition.dockerfile_commands]
        log += failure.lines if failure else (f"Saving image {image_id}\n",)
        self.known[image_id] = Image(image_id, definition, failure, log=log)
        return self.known[image_id], False

    def chain(self, image_id: str) -> list[Image]:
        """An image and what it is built on, the lowest first."""
        if not image_id:
            return []
        image = self.get(image_id)
        below = [layer for base in image.definition.base_images for layer in self.chain(base.image_id)]
        return [*below, image]

    def environment(self, image_id: str) -> dict[str, str]:
        """The variables that an image sets (``ENV``)."""
        found: dict[str, str] = {}
        for image in self.chain(image_id):
            for command in image.definition.dockerfile_commands:
                word, _, rest = command.partition(" ")
                if word.upper() == "ENV":
                    found |= dict(pair.split("=", 1) for pair in shlex.split(rest) if "=" in pair)
        return found

    def copied(self, image_id: str) -> list[tuple[str, str]]:
        """The mounts that were copied into an image (``COPY . TARGET``), with their targets."""
        found = []
        for image in self.chain(image_id):
            for command in image.definition.dockerfile_commands:
                words = command.split()
                if words[:2] == ["COPY", "."] and len(words) == 3 and image.definition.context_mount_id:
                    found.append((image.definition.context_mount_id, words[2]))
        return found


class ImageService(Service):
    """See the module."""

    @property
    def images(self) -> Images:
        """The images of the plane."""
        return self.plane.part(Images)

    async def ImageGetOrCreate(self, stream: Any) -> None:
        """Find an image, or begin to build it."""
        request = await stream.recv_message()
        image, there = self.images.build(request.image, again=request.force_build or request.ignore_cache)
        answer = api_pb2.ImageGetOrCreateResponse(image_id=image.id)
        if there:
            answer.result.status = SUCCESS
            answer.metadata.CopyFrom(_metadata())
        await stream.send_message(answer)

    async def ImageJoinStreaming(self, stream: Any) -> None:
        """Say how the build of an image goes, and how it ended."""
        request = await stream.recv_message()
        image = self.images.get(request.image_id)
        lines = [
            api_pb2.TaskLogs(data=line, timestamp=time(), file_descriptor=api_pb2.FILE_DESCRIPTOR_STDOUT)
            for line in image.log
        ]
        await stream.send_message(api_pb2.ImageJoinStreamingResponse(task_logs=lines, entry_id="1-0"))
        result = api_pb2.GenericResult(status=SUCCESS)
        if image.failure is not None:
            result = api_pb2.GenericResult(status=FAILURE, exception=image.failure.exception)
        await stream.send_message(
            api_pb2.ImageJoinStreamingResponse(result=result, entry_id="2-0", eof=True, metadata=_metadata())
        )

    async def ImageBuildChainGet(self, stream: Any) -> None:
        """Say where the logs of an image's layers are: they are put among those of containers when somebody asks."""
        request = await stream.recv_message()
        logs, answer = self.plane.part(Logs), api_pb2.ImageBuildChainGetResponse()
        for image in self.images.chain(request.image_id):
            step = answer.build_steps.add(image_id=image.id, builder_app_id=BUILDER, builder_task_id=f"ta-{image.id}")
            step.started_at.FromNanoseconds(time_ns())
            for text in image.log:
                logs.add(Line(text, app_id=BUILDER, function_id="", container_id=step.builder_task_id))
            step.finished_at.FromNanoseconds(time_ns() + 1)
        await stream.send_message(answer)

    async def ImageFromId(self, stream: Any) -> None:
        """Find an image by its id."""
        request = await stream.recv_message()
        image = self.images.get(request.image_id)
        await stream.send_message(api_pb2.ImageFromIdResponse(image_id=image.id, metadata=_metadata()))


def _metadata() -> api_pb2.ImageMetadata:
    return api_pb2.ImageMetadata(
        python_version_info=f"Python {platform.python_version()}", workdir="/root", image_builder_version=IMAGE_BUILDER
    )

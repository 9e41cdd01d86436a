"""The calls about apps: making, publishing, finding, listing and stopping them."""

from __future__ import annotations

import time
from typing import Any

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from tests.modal_plane.apps import App, Apps
from tests.modal_plane.containers import Containers
from tests.modal_plane.definitions import Definitions
from tests.modal_plane.environments import Environments
from tests.modal_plane.wire import Service


class AppService(Service):
    """See the module."""

    @property
    def apps(self) -> Apps:
        """The apps of the plane."""
        return self.plane.part(Apps)

    async def AppCreate(self, stream: Any) -> None:
        """Make an app that runs, or is about to be deployed."""
        request = await stream.recv_message()
        self.plane.faults.check_spending()
        app = self.apps.create(request.description, request.environment_name, request.app_state)
        app.tags = dict(request.tags)
        await stream.send_message(
            api_pb2.AppCreateResponse(app_id=app.id, app_page_url=_page(app), app_logs_url=_page(app))
        )

    async def AppGetOrCreate(self, stream: Any) -> None:
        """Find a deployed app by its name, or one by its id; or make it."""
        request = await stream.recv_message()
        if request.app_name in self.apps.known:
            app = self.apps.get(request.app_name)
        elif request.object_creation_type == api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
            app = self.apps.deployed(request.app_name, request.environment_name) or self.apps.create(
                request.app_name, request.environment_name, api_pb2.APP_STATE_DEPLOYED, name=request.app_name
            )
        else:
            app = self.apps.require(request.app_name, request.environment_name)
        await stream.send_message(api_pb2.AppGetOrCreateResponse(app_id=app.id, handle_metadata=_metadata(app)))

    async def AppLookup(self, stream: Any) -> None:
        """Find a deployed app."""
        request = await stream.recv_message()
        app = self.apps.require(request.app_name, request.environment_name)
        await stream.send_message(api_pb2.AppLookupResponse(app_id=app.id))

    async def AppGetByDeploymentName(self, stream: Any) -> None:
        """Find a deployed app, or say that there is none."""
        request = await stream.recv_message()
        app = self.apps.deployed(request.name, request.environment_name)
        answer = api_pb2.AppGetByDeploymentNameResponse(environment_name=request.environment_name)
        if app is not None:
            answer.app_id = app.id
            answer.lifecycle.CopyFrom(app.lifecycle())
        await stream.send_message(answer)

    async def AppGetLayout(self, stream: Any) -> None:
        """Say what an app consists of."""
        request = await stream.recv_message()
        layout = self.plane.part(Definitions).layout(self.apps.get(request.app_id))
        await stream.send_message(api_pb2.AppGetLayoutResponse(app_layout=layout))

    async def AppPublish(self, stream: Any) -> None:
        """Let an app begin: running, or deployed under a name."""
        request = await stream.recv_message()
        app = self.apps.require_running(request.app_id)
        app.state = request.app_state or app.state
        app.name = request.name or app.name
        app.function_ids, app.class_ids = dict(request.function_ids), dict(request.class_ids)
        app.tags |= dict(request.tags)
        deployed_at = 0.0
        if app.state == api_pb2.APP_STATE_DEPLOYED:
            deployed_at = time.time()
            app.history.append(
                api_pb2.AppDeploymentHistory(
                    app_id=app.id,
                    version=len(app.history) + 1,
                    client_version=stream.metadata.get("x-modal-client-version", ""),
                    deployed_at=deployed_at,
                    deployed_by="plane",
                    tag=request.deployment_tag,
                )
            )
        await stream.send_message(api_pb2.AppPublishResponse(url=_page(app), deployed_at=deployed_at))

    async def AppHeartbeat(self, stream: Any) -> None:
        """Hear that the client of an app is there."""
        request = await stream.recv_message()
        self.apps.get(request.app_id).heard_at = time.monotonic()
        await stream.send_message(Empty())

    async def AppClientDisconnect(self, stream: Any) -> None:
        """Hear that the client of an app is leaving."""
        request = await stream.recv_message()
        self.apps.leave(self.apps.get(request.app_id), "the client has left")
        await stream.send_message(Empty())

    async def AppStop(self, stream: Any) -> None:
        """End an app."""
        request = await stream.recv_message()
        self.apps.stop(self.apps.get(request.app_id), "it was stopped by a user")
        await stream.send_message(Empty())

    async def AppList(self, stream: Any) -> None:
        """List the apps of an environment, those that ended too."""
        request = await stream.recv_message()
        environment = self.plane.part(Environments).resolve(request.environment_name)
        containers = self.plane.part(Containers)
        items = [
            api_pb2.AppListResponse.AppListItem(
                app_id=app.id,
                description=app.description,
                name=app.name,
                state=app.state,  # type: ignore[arg-type]
                created_at=app.created_at,
                stopped_at=app.stopped_at,
                n_running_tasks=sum(1 for container in containers.alive() if container.app_id == app.id),
                metadata=_metadata(app),
            )
            for app in self.apps.known.values()
            if app.environment == environment
        ]
        await stream.send_message(api_pb2.AppListResponse(apps=items))

    async def AppGetLifecycle(self, stream: Any) -> None:
        """Say in what state an app is."""
        request = await stream.recv_message()
        await stream.send_message(api_pb2.AppGetLifecycleResponse(lifecycle=self.apps.get(request.app_id).lifecycle()))

    async def AppGetInfo(self, stream: Any) -> None:
        """Describe an app."""
        request = await stream.recv_message()
        await stream.send_message(api_pb2.AppGetInfoResponse(info=_metadata(self.apps.get(request.app_id))))

    async def AppDeploymentHistory(self, stream: Any) -> None:
        """List the versions of an app, the last one first."""
        request = await stream.recv_message()
        history = self.apps.get(request.app_id).history
        answer = api_pb2.AppDeploymentHistoryResponse(
            app_deployment_histories=reversed(history), production_app_version=len(history)
        )
        await stream.send_message(answer)

    async def AppSetTags(self, stream: Any) -> None:
        """Replace the tags of an app."""
        request = await stream.recv_message()
        self.apps.get(request.app_id).tags = dict(request.tags)
        await stream.send_message(Empty())

    async def AppGetTags(self, stream: Any) -> None:
        """Say the tags of an app."""
        request = await stream.recv_message()
        await stream.send_message(api_pb2.AppGetTagsResponse(tags=self.apps.get(request.app_id).tags))


def _page(app: App) -> str:
    return f"https://modal.invalid/apps/{app.id}"


def _metadata(app: App) -> api_pb2.AppHandleMetadata:
    return api_pb2.AppHandleMetadata(
        description=app.description,
        app_id=app.id,
        environment_name=app.environment,
        lifecycle=app.lifecycle(),
        functions=app.function_ids,
    )

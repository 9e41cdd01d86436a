"""Clusters: containers that work on one input together and find each other (``modal.clustered``)."""

from __future__ import annotations

from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.containers import Containers
from tests.modal_plane.wire import Service


class ClusterService(Service):
    """See the module."""

    async def TaskClusterHello(self, stream: Any) -> None:
        """Wait until all members are there, and tell each who it is. They share the loopback interface."""
        request = await stream.recv_message()
        container = self.container
        if container is None or container.group is None:
            raise GRPCError(Status.FAILED_PRECONDITION, "The container is not a member of a cluster")
        group = container.group
        group.hellos[container.rank] = request.container_ip
        self.plane.changed()
        await self.plane.bell.until(lambda: len(group.hellos) == len(group.members))
        await stream.send_message(
            api_pb2.TaskClusterHelloResponse(
                cluster_id=group.id,
                cluster_rank=container.rank,
                container_ips=[group.hellos[rank] for rank in sorted(group.hellos)],
                container_ipv4_ips=["127.0.0.1"] * len(group.members),
            )
        )

    async def ClusterGet(self, stream: Any) -> None:
        """Describe a cluster."""
        request = await stream.recv_message()
        for container in self.plane.part(Containers).known.values():
            group = container.group
            if group is not None and group.id == request.cluster_id:
                stats = api_pb2.ClusterStats(
                    app_id=container.app_id,
                    task_ids=[each.id for each in group.members],
                    cluster_id=group.id,
                    started_at=group.started_at,
                )
                await stream.send_message(api_pb2.ClusterGetResponse(cluster=stats))
                return
        raise GRPCError(Status.NOT_FOUND, f"Cluster '{request.cluster_id}' not found")

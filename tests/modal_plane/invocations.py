"""The calls about calling functions: giving inputs, waiting for outputs, retrying, cancelling, asking how far it is."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from tests.modal_plane.apps import Apps
from tests.modal_plane.calls import SUCCESS, TERMINATED, TIMEOUT, Calls, FunctionCall, Input
from tests.modal_plane.containers import Containers
from tests.modal_plane.definitions import Definitions
from tests.modal_plane.wire import Service

CANCELLED = "Input was cancelled by user"


class InvocationService(Service):
    """See the module."""

    @property
    def calls(self) -> Calls:
        """The function calls of the plane."""
        return self.plane.part(Calls)

    async def FunctionMap(self, stream: Any) -> None:
        """Begin a call, as a rule with its input."""
        request = await stream.recv_message()
        function = self.plane.part(Definitions).function(request.function_id)
        self.plane.part(Apps).require_running(function.app_id)
        self.plane.faults.check_spending()
        call = self.calls.begin(
            function.id, request.function_call_type, request.function_call_invocation_type, request.parent_input_id
        )
        added = self.calls.put(call, list(request.pipelined_inputs))
        await stream.send_message(
            api_pb2.FunctionMapResponse(
                function_call_id=call.id,
                pipelined_inputs=[_receipt(each) for each in added],
                retry_policy=function.definition.retry_policy,
                function_call_jwt=_jwt(function_call_id=call.id),
                sync_client_retries_enabled=True,
                max_inputs_outstanding=1000,
            )
        )

    async def FunctionPutInputs(self, stream: Any) -> None:
        """Add inputs to a call."""
        request = await stream.recv_message()
        added = self.calls.put(self.calls.get(request.function_call_id), list(request.inputs))
        await stream.send_message(api_pb2.FunctionPutInputsResponse(inputs=[_receipt(each) for each in added]))

    async def FunctionFinishInputs(self, stream: Any) -> None:
        """Hear that no more inputs come."""
        await stream.recv_message()
        await stream.send_message(Empty())

    async def FunctionRetryInputs(self, stream: Any) -> None:
        """Let the client's failed inputs wait again."""
        request = await stream.recv_message()
        for item in request.inputs:
            each = self.calls.inputs[_claims(item.input_jwt)["input_id"]]
            each.payload = item.input
            self.calls.retry(each, item.retry_count or each.retry_count + 1)
        await stream.send_message(
            api_pb2.FunctionRetryInputsResponse(input_jwts=[item.input_jwt for item in request.inputs])
        )

    async def FunctionGetOutputs(self, stream: Any) -> None:
        """Wait for outputs: of inputs that are named by their index, or whatever comes next."""
        request = await stream.recv_message()
        call = self.calls.get(request.function_call_id)
        if request.HasField("start_idx"):
            await self._outputs_of(stream, call, range(request.start_idx, request.end_idx + 1), request.timeout)
            return
        seen = int((request.last_entry_id or "0-0").partition("-")[0])
        await self.plane.bell.until(lambda: len(call.outputs) > seen, timeout=request.timeout)
        fresh = call.outputs[seen : seen + (request.max_values or len(call.outputs))]
        await stream.send_message(
            api_pb2.FunctionGetOutputsResponse(
                idxs=[each.idx for each in fresh],
                outputs=fresh,
                last_entry_id=f"{seen + len(fresh)}-0",
                num_unfinished_inputs=call.unfinished,
            )
        )

    async def _outputs_of(self, stream: Any, call: FunctionCall, wanted: range, timeout: float) -> None:
        def there() -> list[api_pb2.FunctionGetOutputsItem]:
            return [each.result for each in call.inputs if each.result is not None and each.idx in wanted]

        await self.plane.bell.until(lambda: bool(there()), timeout=timeout)
        found = there()
        await stream.send_message(
            api_pb2.FunctionGetOutputsResponse(
                idxs=[each.idx for each in found],
                outputs=found,
                last_entry_id=f"{len(call.outputs)}-0",
                num_unfinished_inputs=call.unfinished,
            )
        )

    async def FunctionCallCancel(self, stream: Any) -> None:
        """Cancel a call."""
        request = await stream.recv_message()
        call = self.calls.get(request.function_call_id)
        result = api_pb2.GenericResult(status=TERMINATED, exception=CANCELLED)
        running = self.calls.end(lambda each: each is call, result)
        containers = self.plane.part(Containers)
        for each in running:
            if each.container_id is not None:
                containers.let_go(each.container_id, each, terminate=request.terminate_containers)
        await stream.send_message(Empty())

    async def FunctionCallFromId(self, stream: Any) -> None:
        """Describe a call."""
        request = await stream.recv_message()
        call = self.calls.get(request.function_call_id)
        await stream.send_message(
            api_pb2.FunctionCallFromIdResponse(
                function_call_id=call.id,
                num_inputs=len(call.inputs),
                metadata=api_pb2.FunctionCallHandleMetadata(app_id=call.app_id, function_id=call.function_id),
            )
        )

    async def FunctionCallGetInfo(self, stream: Any) -> None:
        """Say how far a call is."""
        request = await stream.recv_message()
        await stream.send_message(
            api_pb2.FunctionCallGetInfoResponse(info=_info(self.calls.get(request.function_call_id)))
        )

    async def FunctionCallList(self, stream: Any) -> None:
        """List the calls of a function."""
        request = await stream.recv_message()
        found = [_info(call) for call in self.calls.of_function(request.function_id)]
        await stream.send_message(api_pb2.FunctionCallListResponse(function_calls=found))

    async def FunctionGetCallGraph(self, stream: Any) -> None:
        """Say which calls a call led to."""
        request = await stream.recv_message()
        tree = [self.calls.get(request.function_call_id)]
        for call in tree:
            mine = {each.id for each in call.inputs}
            tree.extend(other for other in self.calls.known.values() if other.parent_input_id in mine)
        answer = api_pb2.FunctionGetCallGraphResponse()
        for call in tree:
            definition = self.plane.part(Definitions).function(call.function_id).definition
            answer.function_calls.add(
                function_call_id=call.id,
                # The root of what is asked for is the root of the answer, wherever it was called from.
                parent_input_id=call.parent_input_id if call is not tree[0] else "",
                function_name=definition.function_name,
                module_name=definition.module_name,
            )
            for each in call.inputs:
                status = each.result.result.status if each.result else api_pb2.GenericResult.GENERIC_STATUS_UNSPECIFIED
                answer.inputs.add(
                    input_id=each.id,
                    function_call_id=call.id,
                    task_id=each.taken_by[-1] if each.taken_by else "",
                    status=status,
                )
        await stream.send_message(answer)

    async def FunctionCallPutDataOut(self, stream: Any) -> None:
        """Take what a generator yielded."""
        request = await stream.recv_message()
        self.calls.get(request.function_call_id).chunks.extend(request.data_chunks)
        await stream.send_message(Empty())

    async def FunctionCallGetDataOut(self, stream: Any) -> None:
        """Hand out what a generator yields, until it is done."""
        request = await stream.recv_message()
        call = self.calls.get(request.function_call_id)
        sent = request.last_index

        def more_or_done() -> bool:
            return len(call.chunks) > sent or not call.unfinished

        while await self.plane.bell.until(more_or_done):
            fresh = call.chunks[sent:]
            if not fresh:
                return
            for chunk in fresh:
                await stream.send_message(chunk)
            sent += len(fresh)


def _receipt(each: Input) -> api_pb2.FunctionPutInputsResponseItem:
    jwt = _jwt(input_id=each.id, function_call_id=each.call_id, idx=each.idx)
    return api_pb2.FunctionPutInputsResponseItem(idx=each.idx, input_id=each.id, input_jwt=jwt)


def _info(call: FunctionCall) -> api_pb2.FunctionCallInfo:
    info = api_pb2.FunctionCallInfo(
        function_call_id=call.id,
        created_at=call.created_at,
        scheduled_at=call.created_at,
        total_inputs=len(call.inputs),
    )
    for each in call.inputs:
        match each.result.result.status if each.result else None:
            case None:
                category = info.pending_inputs
            case status if status == SUCCESS:
                category = info.succeeded_inputs
            case status if status == TERMINATED:
                category = info.cancelled_inputs
            case status if status == TIMEOUT:
                category = info.timeout_inputs
            case _:
                category = info.failed_inputs
        category.total += 1
        category.latest.add(
            input_id=each.id,
            idx=each.idx,
            task_id=each.taken_by[-1] if each.taken_by else "",
            started_at=each.started_at,
            finished_at=each.result.output_created_at if each.result else 0.0,
        )
    return info


def _jwt(**claims: object) -> str:
    """A token that the client can decode, and nobody checks."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def _claims(jwt: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))
    return claims

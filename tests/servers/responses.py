"""AWS answers written by hand, served over HTTP in the wire form of each service's protocol, from botocore's own model.

    with AnswerServer() as aws:
        aws.answers = {"rds:DescribeDBInstances": [{"DBInstances": [...], "Marker": "page-2"}, {"DBInstances": [...]}]}
        boto3.client("rds", endpoint_url=aws.url)

A list is the pages of one call: a page's token leads to the next one. A mapping holds the responses of a call that is
made per item, by a word that tells the items' calls apart (`{"my-bucket": {...}}`), or its pages; an error code in the
place of a response is answered as that error; bytes are the body itself. Times are ISO text. A function makes the
response itself.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

import jmespath
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tasks.aws.client.paging import paging
from tests.servers.aws import HOST, Call, Simulator, error_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Page = dict[str, Any]
# Of a call: its pages, of each item a page, pages or an error code; the bytes; or who answers, of a Call a Response.
Responses = dict[str, Any]

ACCOUNT: Final = "111122223333"  # as the access key, too: so the server knows whose call it is without asking moto


class ResponseServer:
    """`answers` may be replaced at any time. A call that has none is answered with 501, which names it.

    `simulator` stands before it, as before moto: it counts calls, and makes them fail on request.
    `received`: every call since the list was last replaced.
    """

    def __init__(self) -> None:
        self.responses: Responses = {}
        self.received: list[Call] = []
        self.simulator = Simulator(self)
        self._server = make_server(HOST, 0, self.simulator, threaded=True, request_handler=_Quiet)
        self.url = f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        return self._respond(Call.of(environ, request.get_data()))(environ, start_response)

    def _respond(self, call: Call) -> Response:
        name = f"{call.service}:{call.action}"
        self.received.append(call)
        found = self.responses.get(name)
        if callable(found):
            answered: Response = found(call)
            return answered
        if isinstance(found, bytes):
            return Response(found, content_type="text/xml" if found.startswith(b"<") else "application/x-amz-json-1.1")
        response = found_for(found, call)
        if response is None:
            return error_response(
                call, 501, "NotImplemented", f"no response to {name} in the sample: {call.text[:200]}"
            )
        if isinstance(response, str):
            return error_response(call, 404, response, f"the sample's response to {name}")
        return serialized(call, response)


class _Quiet(WSGIRequestHandler):
    disable_nagle_algorithm = True  # headers and body are two messages: the second would wait 40 ms

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def serialized(call: Call, response: Page) -> Response:
    """The response as the service would put it on the wire."""
    service = get_service_model(call.service)
    serializer = get_serializer_class(call.service, service.metadata["protocol"])
    wire = serializer(service.operation_model(call.action)).serialize(response)
    return Response(wire["body"], wire["status_code"], wire["headers"])


def found_for(responses: Any, call: Call) -> Page | str | None:
    """What answers a call, of all responses to calls of its kind: by what stands in it."""
    if not isinstance(responses, dict):
        return _page(responses, call) if responses else None
    return _of_item(responses, call)


def _page(pages: Sequence[Page], call: Call) -> Page:
    """The first page, or the one that follows the page whose token the call carries."""
    for page, following in pairwise(pages):
        tokens = [jmespath.search(path, page) for path in output_tokens(call.service, call.action)]
        if any(token and token in call.text for token in tokens):
            return following
    return pages[0]


def output_tokens(service: str, operation: str) -> tuple[str, ...]:
    """Where a response holds what leads to its next page; none where the call doesn't page."""
    pages = paging(f"{service}:{operation}")
    return pages.outputs if pages else ()


def _of_item(responses: Mapping[str, Page | list[Page] | str], call: Call) -> Page | str | None:
    """The response whose word stands in the call by itself: `logs` is not in `logs-archive`."""
    words = [word for word in responses if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", call.text)]
    found = responses[max(words, key=len)] if words else None
    return _page(found, call) if isinstance(found, list) else found

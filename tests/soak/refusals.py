"""How each provider names its calls, and how it throttles, denies, fails, or rejects credentials."""

from __future__ import annotations

import json
import re
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from tests.servers.aws import Effect, Fault
from tests.servers.aws.calls import Call
from tests.servers.aws.errors import fault_response
from tests.soak.proxy import Request, Response
from tests.soak.schedule import Kind

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_EFFECTS: Final = {
    Kind.THROTTLING: Effect.THROTTLE,
    Kind.DENIED: Effect.DENY,
    Kind.SERVER_ERROR: Effect.ERROR,
    Kind.EXPIRED: Effect.EXPIRED,
}
_OKTA: Final = {
    Kind.THROTTLING: (429, {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit."}),
    Kind.DENIED: (403, {"errorCode": "E0000006", "errorSummary": "You do not have permission."}),
    Kind.SERVER_ERROR: (500, {"errorCode": "E0000009", "errorSummary": "Internal Server Error"}),
    Kind.EXPIRED: (401, {"errorCode": "E0000011", "errorSummary": "Invalid token provided"}),
}
_GITHUB: Final = {
    Kind.THROTTLING: (403, {"message": "You have exceeded a secondary rate limit."}),
    Kind.DENIED: (403, {"message": "Resource not accessible by personal access token"}),
    Kind.SERVER_ERROR: (502, {"message": "Something went wrong while executing your query."}),
    Kind.EXPIRED: (401, {"message": "Bad credentials"}),
}


def aws_name(request: Request) -> str:
    return _call(request).name


def aws_refusal(kind: Kind, request: Request) -> Response:
    response = fault_response(Fault(_EFFECTS[kind]), _call(request))
    return Response(response.status_code, response.get_data(), dict(response.headers))


def company_name(request: Request) -> str:
    """`okta:GET /api/v1/groups/{}/users`, `github:Members`."""
    path = request.path.partition("?")[0]
    if path == "/graphql":
        return f"github:{_document(request.body).get('operationName')}"
    return f"okta:{request.method} {re.sub(r'/00[a-z0-9]+|/0oa[a-z0-9]+', '/{}', path)}"


def company_refusal(kind: Kind, request: Request) -> Response:
    headers = {"Content-Type": "application/json"}
    if request.name.startswith("github"):
        status, document = _GITHUB[kind]
        headers |= {"Retry-After": "1"} if kind is Kind.THROTTLING else {}
    else:
        status, document = _OKTA[kind]
        reset = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(int(time.time()) + 2)}
        headers |= reset if kind is Kind.THROTTLING else {}
    return Response(status, json.dumps(document).encode(), headers)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _call(request: Request) -> Call:
    path, _, query = request.path.partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.input": BytesIO(request.body),
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return Call.of(environ, request.body)

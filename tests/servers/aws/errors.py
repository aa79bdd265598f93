"""Errors as AWS returns them, in the envelope of each protocol; and malformed responses."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from tests.servers.aws.faults import Effect, Fault

if TYPE_CHECKING:
    from tests.servers.aws.calls import Call
    from tests.servers.aws.rest_operations import Protocol

# By effect and protocol: HTTP status, error code, message.
ERRORS: Final[dict[Effect, dict[Protocol, tuple[int, str, str]]]] = {
    Effect.DENY: {
        "ec2": (403, "UnauthorizedOperation", "You are not authorized to perform this operation. {denied}"),
        "query": (403, "AccessDenied", "{denied}"),
        "s3": (403, "AccessDenied", "Access Denied"),
        "json": (400, "AccessDeniedException", "{denied}"),
        "rest-json": (403, "AccessDeniedException", "{denied}"),
    },
    Effect.THROTTLE: {
        "ec2": (503, "RequestLimitExceeded", "Request limit exceeded."),
        "query": (400, "Throttling", "Rate exceeded"),
        "s3": (503, "SlowDown", "Please reduce your request rate."),
        "json": (400, "ThrottlingException", "Rate exceeded"),
        "rest-json": (429, "ThrottlingException", "Rate exceeded"),
    },
    Effect.NOT_ENABLED: {
        "ec2": (401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        "query": (403, "InvalidClientTokenId", "The security token included in the request is invalid"),
        "s3": (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        "json": (400, "UnrecognizedClientException", "The security token included in the request is invalid."),
        "rest-json": (403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    },
    Effect.EXPIRED: {
        "ec2": (400, "RequestExpired", "Request has expired."),
        "query": (403, "ExpiredToken", "The security token included in the request is expired"),
        "s3": (400, "ExpiredToken", "The provided token has expired."),
        "json": (400, "ExpiredTokenException", "The security token included in the request is expired"),
        "rest-json": (403, "ExpiredTokenException", "The security token included in the request is expired"),
    },
    Effect.ERROR: {
        "ec2": (500, "InternalError", "An internal error has occurred"),
        "query": (500, "InternalFailure", "The request processing has failed because of an unknown error."),
        "s3": (500, "InternalError", "We encountered an internal error. Please try again."),
        "json": (500, "InternalServerError", "The request processing has failed because of an unknown error."),
        "rest-json": (500, "InternalServerError", "The request processing has failed because of an unknown error."),
    },
}


def error_response(call: Call, status: int, code: str, message: str) -> Response:
    """The error in the envelope of the call's protocol."""
    request_id = str(uuid.uuid4())
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    xml = '<?xml version="1.0" encoding="UTF-8"?>\n'
    match call.protocol:
        case "ec2":
            body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        case "query":
            sender = "Sender" if status < 500 else "Receiver"
            body = f"<Error><Type>{sender}</Type>{error}</Error><RequestId>{request_id}</RequestId>"
            body = f"<ErrorResponse>{body}</ErrorResponse>"
        case "s3":
            body = f"<Error>{error}<RequestId>{request_id}</RequestId><HostId>simulated</HostId></Error>"
        case "json" | "rest-json":
            body = json.dumps({"__type": code, "message": message})
            headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": code}
            return Response(body, status, headers, content_type="application/x-amz-json-1.1")
    return Response(xml + body, status, content_type="text/xml;charset=UTF-8")


def fault_response(fault: Fault, call: Call) -> Response:
    status, code, message = ERRORS[fault.effect][call.protocol]
    action = f"{call.signing_name}:{call.action}"
    denied = (
        f"User: arn:aws:iam::{call.account}:user/simulated is not authorized to perform: {action} "
        f"because no identity-based policy allows the {action} action"
    )
    response = error_response(call, fault.status or status, fault.code or code, message.format(denied=denied))
    if fault.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(fault.retry_after_seconds)
    return response


def malformed(response: Response, fault: Fault) -> Response:
    """The response without one element or key, or truncated, with a correct Content-Length."""
    body = response.get_data()
    if fault.lacks is None:
        body = body[: len(body) // 2]
    elif body.lstrip().startswith(b"<"):
        body = _without_element(body.decode(), fault.lacks, fault.value).encode()
    else:
        document = json.loads(body)
        _remove_key(document, fault.lacks, fault.value)
        body = json.dumps(document).encode()
    response.set_data(body)
    response.headers.pop("x-amz-crc32", None)  # checksum of the body, from DynamoDB
    return response


def _without_element(xml: str, tag: str, value: str | None) -> str:
    content = r".*?" if value is None else r"\s*" + re.escape(escape(value)) + r"\s*"
    return re.sub(rf"<{tag}(\s[^>]*)?(/>|>{content}</{tag}>)", "", xml, count=1, flags=re.DOTALL)


def _remove_key(document: Any, key: str, value: str | None) -> bool:
    if isinstance(document, dict):
        if key in document and value in (None, str(document[key])):
            del document[key]
            return True
        return any(_remove_key(inner, key, value) for inner in document.values())
    return isinstance(document, list) and any(_remove_key(inner, key, value) for inner in document)

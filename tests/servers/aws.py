"""A simulated AWS over HTTP: moto's backends behind a layer that counts the calls and makes them fail on request.

    with AwsServer() as aws:
        aws.add(Fault(Effect.DENY, service="ec2", region="eu-south-1"))
        boto3.client("ec2", "eu-south-1", endpoint_url=aws.url)       # UnauthorizedOperation

`python -m tests.servers.aws --port 5000` runs it by itself. Its own HTTP interface, beside AWS's and /moto-api:

    /chartfleet/faults         GET, PUT (replace), POST (add), DELETE: a JSON list of faults, see `Fault`
    /chartfleet/faults/NAME    DELETE one: what it paused goes on
    /chartfleet/latency        PUT {"seconds": 0.08}: every call takes that much longer
    /chartfleet/calls?recent=N GET, see `Calls`
    /chartfleet/reset          PUT: no faults, no latency, counters at zero; the estate stays

An access key of 12 digits is an account. Every other key is as moto has it: the account that issued the key, else
123456789012. Services have the names of boto3's clients (`elb` and `elbv2`, though both sign as elasticloadbalancing).
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
import zlib
from collections import Counter, deque
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, asdict, dataclass, field
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, Self
from urllib.parse import parse_qs, unquote_plus
from xml.sax.saxutils import escape

import psutil
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST: Final = "127.0.0.1"  # an address, not a name: for a name botocore would put the bucket into the host
DEFAULT_ACCOUNT: Final = "123456789012"
RECENT_CALLS: Final = 20_000
START_SECONDS: Final = 30.0

# What moto would load at a cost, and nobody here looks at. It reads them when it is imported.
MOTO_ENVIRONMENT: Final = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"}


class Effect(StrEnum):
    DENY = "deny"
    THROTTLE = "throttle"
    NOT_ENABLED = "not_enabled"  # the account hasn't enabled the region
    EXPIRED = "expired"
    ERROR = "error"
    DISCONNECT = "disconnect"  # the connection closes without a response
    DELAY = "delay"  # then goes on: to the next fault that matches, else to the true response
    PAUSE = "pause"  # holds the call until the fault is removed, then goes on
    MALFORMED = "malformed"  # the true response, but one item lacks a field; or cut in the middle
    KILL_CLIENT = "kill_client"  # SIGKILL to the process that makes the call
    KILL_PARENT = "kill_parent"  # SIGKILL to the parent of that process


@dataclass(frozen=True)
class Fault:
    """What happens to which calls. A condition that is None holds for every call; the first fault that answers wins."""

    effect: Effect
    _: KW_ONLY
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    # conditions
    service: str | None = None  # boto3's name of the client
    action: str | None = None  # API operation, e.g. DescribeInstances
    region: str | None = None
    account: str | None = None
    bucket: str | None = None  # S3
    param: str | None = None  # part of the decoded path, query or body, e.g. "RoleName=auditor"
    after: int = 0  # so many matching calls pass first
    times: int | None = None  # so many calls are met; None: all that follow
    # details of the effect
    seconds: float = 0.0  # DELAY
    retry_after_seconds: int | None = None  # any error: the header Retry-After
    code: str | None = None  # any error: another code than the one AWS gives most
    status: int | None = None  # any error: another HTTP status
    lacks: str | None = None  # MALFORMED: element or key, as on the wire. None: the response is cut
    value: str | None = None  # MALFORMED: the element or key with this value. None: the first

    def matches(self, call: Call) -> bool:
        names = ("service", "action", "region", "account", "bucket")
        return all(getattr(self, name) in (None, getattr(call, name)) for name in names) and (
            self.param is None or self.param in call.text
        )


@dataclass(frozen=True)
class FinishedCall:
    at: float  # when it arrived: Unix time in seconds
    seconds: float  # until its response was ready
    service: str
    action: str
    region: str
    account: str
    status: int  # HTTP status; 0 where there was no response


@dataclass(frozen=True)
class Calls:
    """What was called since the last reset. A call counts when it arrives, and is in `recent` when it is answered."""

    counts: dict[str, int]  # by "service:action:region"
    in_flight: int
    max_in_flight: int
    recent: list[FinishedCall]  # oldest first

    def count(self, service: str = "", action: str = "", region: str = "") -> int:
        """How many calls of this service, action and region; '' means any."""
        wanted = (service, action, region)
        return sum(
            number
            for name, number in self.counts.items()
            if all(one in ("", other) for one, other in zip(wanted, name.split(":"), strict=True))
        )


# ---------------------------------------------------------------------------------------- which call is it

Protocol = Literal["ec2", "query", "s3", "json", "rest-json"]

# Signing name -> boto3's name, where they differ.
CLIENTS: Final = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
ELB_VERSIONS: Final = {"2012-06-01": "elb", "2015-12-01": "elbv2"}


@dataclass(frozen=True)
class Call:
    service: str
    action: str
    region: str
    account: str
    bucket: str | None
    protocol: Protocol
    signing_name: str  # the prefix of IAM actions, almost always
    text: str  # decoded path, query and body; after that the account that a call of S3 Control is about

    @classmethod
    def of(cls, environ: WSGIEnvironment, body: bytes) -> Call:
        access_key, region, signing_name = credential_scope(environ)
        path, query = environ.get("PATH_INFO", "/"), environ.get("QUERY_STRING", "")
        target: str = environ.get("HTTP_X_AMZ_TARGET", "")
        text = body.decode("utf-8", "replace")
        asked = environ.get("HTTP_X_AMZ_ACCOUNT_ID", "")  # S3 Control says here whose setting it asks for
        form = parse_qs(text if text.startswith("Action=") or "&Action=" in text else query)
        service = CLIENTS.get(signing_name, signing_name)
        if service == "s3" and path.startswith("/v20180820/"):  # no bucket: its names have no such version
            service = "s3control"
        protocol: Protocol
        if "Action" in form:
            action = form["Action"][0]
            if signing_name == "elasticloadbalancing":
                service = ELB_VERSIONS[form["Version"][0]]
            protocol = "ec2" if service == "ec2" else "query"
        elif target:
            action, protocol = target.rpartition(".")[2], "json"
        else:
            action = rest_operation(service, environ)
            protocol = rest_protocol(service)
        return cls(
            service=service,
            action=action,
            region=region,
            account=account_of(access_key),
            bucket=(path.split("/")[1] or None) if service == "s3" else None,
            protocol=protocol,
            signing_name=signing_name,
            text=f"{path}?{unquote_plus(query)}\n{unquote_plus(text) if form else text}{asked}",
        )

    @property
    def name(self) -> str:
        return f"{self.service}:{self.action}:{self.region}"


def credential_scope(environ: WSGIEnvironment) -> tuple[str, str, str]:
    """Access key, region and signing name of a call signed with SigV4, in header or query; else anonymous S3."""
    query = unquote_plus(environ.get("QUERY_STRING", ""))
    found = re.search(
        r"Credential=([^/&, ]+)/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", query)
    )
    return (found[1], found[2], found[3]) if found else ("", "us-east-1", "s3")


def account_of(access_key: str) -> str:
    if re.fullmatch(r"\d{12}", access_key):
        return access_key
    from moto.iam.models import get_account_id_from

    return get_account_id_from(access_key)


@dataclass(frozen=True)
class _RestOperation:
    name: str
    method: str
    path: re.Pattern[str]
    query: frozenset[tuple[str, str | None]]  # parameters that it always has; None: any value
    headers: frozenset[str]
    deprecated: bool

    @property
    def rank(self) -> tuple[int, bool, str]:
        """The most demanding first."""
        return -len(self.query) - len(self.headers), self.deprecated, self.name


@functools.cache
def _service_model(service: str) -> dict[str, Any]:
    """botocore's model of the service; one without operations if it has none."""
    try:
        model: dict[str, Any] = Loader().load_service_model(service, "service-2")
    except UnknownServiceError:
        return {"metadata": {"protocol": "rest-json"}, "operations": {}}
    return model


def rest_protocol(service: str) -> Protocol:
    is_xml = _service_model(service)["metadata"]["protocol"] == "rest-xml"
    return "s3" if service == "s3" else "query" if is_xml else "rest-json"  # Route 53's envelope is that of query


@functools.cache
def _rest_operations(service: str) -> list[_RestOperation]:
    model = _service_model(service)
    operations = []
    for name, operation in model["operations"].items():
        path, _, query = operation["http"]["requestUri"].partition("?")
        parts = [_path_part(part) for part in re.split(r"(\{\w+\+?\})", path.rstrip("/") or "/")]
        shape = model["shapes"][operation["input"]["shape"]] if "input" in operation else {}
        required: dict[str, list[str]] = {"querystring": [], "header": []}
        for member in (shape["members"][member] for member in shape.get("required", ())):
            if member.get("location") in required:
                required[member["location"]].append(member["locationName"])
        fixed = {(key, value or None) for key, _, value in (part.partition("=") for part in query.split("&") if part)}
        operations.append(
            _RestOperation(
                name=name,
                method=operation["http"]["method"],
                path=re.compile("".join(parts)),
                query=frozenset(fixed | {(name, None) for name in required["querystring"]}),
                headers=frozenset("HTTP_" + name.upper().replace("-", "_") for name in required["header"]),
                deprecated=operation.get("deprecated", False),
            )
        )
    return sorted(operations, key=lambda operation: operation.rank)


def _path_part(part: str) -> str:
    return ".+" if part.endswith("+}") else "[^/]+" if part.endswith("}") else re.escape(part)


def rest_operation(service: str, environ: WSGIEnvironment) -> str:
    """The operation of a REST call, by botocore's own model of the service; '' if it has none such."""
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/").rstrip("/") or "/"
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    for operation in _rest_operations(service):
        if (
            operation.method == method
            and all(key in query and value in (None, query[key][0]) for key, value in operation.query)
            and operation.headers <= environ.keys()
            and operation.path.fullmatch(path)
        ):
            return operation.name
    return ""


# ---------------------------------------------------------------------------------------- how AWS says no

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
    """The response without one element or key, or cut in the middle; HTTP's own length of it is right."""
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
    response.headers.pop("x-amz-crc32", None)  # DynamoDB's checksum of the body
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


# ---------------------------------------------------------------------------------------- who calls


class NotKilled(Exception):
    """The process isn't one that a fault may kill."""


def client_process(client_port: int, server_port: int) -> psutil.Process:
    """The process at the other end of a connection from this machine.

    Raises:
        NotKilled: It isn't found, or it is this server or an ancestor: the test itself, its shell, ...
    """
    for connection in psutil.net_connections("tcp"):
        ports = [address.port for address in (connection.laddr, connection.raddr) if address]
        if ports == [client_port, server_port] and connection.pid:
            return _may_be_killed(psutil.Process(connection.pid))
    raise NotKilled(f"no process of this machine holds port {client_port}")


def _may_be_killed(process: psutil.Process | None) -> psutil.Process:
    if process is None or process in (psutil.Process(), *psutil.Process().parents()):
        raise NotKilled(f"{process} is the server or one of its ancestors")
    return process


def kill_caller(effect: Effect, environ: WSGIEnvironment) -> None:
    process = client_process(int(environ["REMOTE_PORT"]), int(environ["SERVER_PORT"]))
    if effect is Effect.KILL_PARENT:
        process = _may_be_killed(process.parent())
    process.kill()


def hang_up(environ: WSGIEnvironment) -> NoReturn:
    connection: socket.socket = environ["werkzeug.socket"]
    with suppress(OSError):  # the other end may be gone
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("as the fault says")


# ---------------------------------------------------------------------------------------- the server


class _ActiveFault:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.matched = 0
        self.hits = 0
        self.removed = threading.Event()

    def meets(self, call: Call) -> bool:
        if self.removed.is_set() or not self.fault.matches(call):
            return False
        self.matched += 1
        if self.matched <= self.fault.after or self.hits == self.fault.times:
            return False
        self.hits += 1
        return True


class Simulator:
    """The WSGI application. `absent`: answers of calls that the application behind it hasn't got."""

    def __init__(self, aws: WSGIApplication, absent: Mapping[tuple[str, str], str] | None = None) -> None:
        self._aws = aws
        self._absent = absent or {}
        self._lock = threading.Lock()
        self._faults: list[_ActiveFault] = []
        self._zero()

    def _zero(self) -> None:
        self._latency_seconds = 0.0
        self._counts: Counter[str] = Counter()
        self._in_flight = self._max_in_flight = 0
        self._recent: deque[FinishedCall] = deque(maxlen=RECENT_CALLS)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "/")
        if path.startswith("/chartfleet/"):
            return self._control(Request(environ))(environ, start_response)
        if path.startswith("/moto-api"):
            return self._aws(environ, start_response)
        return self._call(environ)(environ, start_response)

    # AWS

    def _call(self, environ: WSGIEnvironment) -> Response:
        body = b""
        if environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = BytesIO(body)
        call = Call.of(environ, body)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = call.account
        started_at, started, status = time.time(), time.monotonic(), 0
        with self._lock:
            self._counts[call.name] += 1
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
            latency_seconds = self._latency_seconds
        try:
            time.sleep(latency_seconds)
            response = self._response(call, environ)
            status = response.status_code
            return response
        finally:
            seconds = time.monotonic() - started
            finished = FinishedCall(started_at, seconds, call.service, call.action, call.region, call.account, status)
            with self._lock:
                self._in_flight -= 1
                self._recent.append(finished)

    def _response(self, call: Call, environ: WSGIEnvironment) -> Response:
        with self._lock:
            faults = list(self._faults)
        for active in faults:
            with self._lock:
                if not active.meets(call):
                    continue
            fault = active.fault
            match fault.effect:
                case Effect.DELAY:
                    time.sleep(fault.seconds)
                case Effect.PAUSE:
                    active.removed.wait()
                case Effect.MALFORMED:
                    return malformed(self._true_response(call, environ), fault)
                case Effect.DISCONNECT:
                    hang_up(environ)
                case Effect.KILL_CLIENT | Effect.KILL_PARENT:
                    try:
                        kill_caller(fault.effect, environ)
                    except (NotKilled, psutil.NoSuchProcess) as refused:
                        return error_response(call, 400, "NotKilled", str(refused))
                    hang_up(environ)
                case _:
                    return fault_response(fault, call)
        return self._true_response(call, environ)

    def _true_response(self, call: Call, environ: WSGIEnvironment) -> Response:
        if response := self._absent.get((call.service, call.action)):
            return Response(
                response, content_type="text/xml" if response.startswith("<") else "application/x-amz-json-1.1"
            )
        return Response.from_app(self._aws, environ, buffered=True)

    # Control

    def _control(self, request: Request) -> Response:
        resource, _, name = request.path.removeprefix("/chartfleet/").partition("/")
        match request.method, resource:
            case "GET", "faults":
                pass
            case "PUT" | "POST" | "DELETE", "faults":
                try:
                    faults = [_fault_of(each) for each in json.loads(request.get_data() or b"[]")]
                except (TypeError, ValueError) as error:
                    return _json_response({"error": f"not a list of faults: {error}"}, 400)
                if request.method != "POST":
                    self.remove(name)
                self.add(*faults)
            case "PUT", "latency":
                self._latency_seconds = float(json.loads(request.get_data())["seconds"])
                return _json_response({"seconds": self._latency_seconds})
            case "GET", "calls":
                return _json_response(asdict(self.calls(request.args.get("recent", RECENT_CALLS, type=int))))
            case "PUT", "reset":
                self.reset()
                return _json_response({})
            case _:
                return _json_response({"error": f"no {request.method} {request.path}"}, 404)
        with self._lock:
            return _json_response([asdict(active.fault) | {"hits": active.hits} for active in self._faults])

    def reset(self) -> None:
        """No faults, no latency, counters at zero."""
        self.remove()
        with self._lock:
            in_flight = self._in_flight  # those calls are still to end
            self._zero()
            self._in_flight = self._max_in_flight = in_flight

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults += [_ActiveFault(fault) for fault in faults]

    def remove(self, name: str = "") -> None:
        """The fault of this name; '' means all. What they paused goes on."""
        with self._lock:
            removed = [active for active in self._faults if name in ("", active.fault.name)]
            self._faults = [active for active in self._faults if active not in removed]
        for active in removed:
            active.removed.set()

    def calls(self, recent: int = RECENT_CALLS) -> Calls:
        with self._lock:
            last = list(self._recent)[-recent:] if recent else []
            return Calls(dict(self._counts), self._in_flight, self._max_in_flight, last)


def _fault_of(document: dict[str, Any]) -> Fault:
    return Fault(**document | {"effect": Effect(document.get("effect", ""))})


def _json_response(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")


# Services that moto hasn't got: an account that uses none of them.
NOT_IN_MOTO: Final = {
    ("globalaccelerator", "ListAccelerators"): '{"Accelerators": []}',
    ("globalaccelerator", "ListCustomRoutingAccelerators"): '{"Accelerators": []}',
    ("cloudfront", "ListVpcOrigins"): (
        '<VpcOriginList xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Marker></Marker>'
        "<MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>0</Quantity></VpcOriginList>"
    ),
}


def correct_moto() -> None:
    """Responses of moto that differ from AWS's, and would change what the graph says."""
    from moto.core.responses import ActionResult
    from moto.ec2.models import ec2_backends
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
    from moto.ec2.responses.reserved_instances import ReservedInstances
    from moto.elb.models import ELBBackend, LoadBalancer
    from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer
    from moto.rds.models import DBCluster, DBInstance

    def enabled_regions(backend: RegionsAndZonesBackend, region_names: list[str] | None = None) -> list[Any]:
        """Those of the account; moto lists the ones it says aren't opted in as well."""
        return [
            region
            for region in backend.regions
            if (region.name in region_names if region_names else region.opt_in_status != "not-opted-in")
        ]

    def source_security_group(balancer: LoadBalancer) -> dict[str, str]:
        """The balancer's first group; moto says `default`, whatever its groups are."""
        found = [ec2.get_security_group_from_id(balancer.security_groups[0]) for ec2 in list(regions_of(balancer))]
        return {"OwnerAlias": balancer.account_id, "GroupName": next(group.name for group in found if group)}

    def regions_of(balancer: LoadBalancer) -> Iterable[Any]:
        return ec2_backends[balancer.account_id].values()

    def create_load_balancer(backend: ELBBackend, name: str, *args: Any, **kwargs: Any) -> LoadBalancer:
        """Under a DNS name that no other region or account has; moto's say us-east-1 everywhere."""
        balancer = create(backend, name, *args, **kwargs)
        balancer.dns_name = dns_name(backend, name, balancer.scheme)
        return balancer

    def create_load_balancer_v2(backend: ELBv2Backend, name: str, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
        """The same; moto's are the same in every account. A gateway load balancer has neither name nor scheme."""
        balancer = create_v2(backend, name, *args, **kwargs)
        balancer.dns_name = dns_name(backend, name, balancer.scheme)
        if balancer.type == "gateway":
            balancer.dns_name = balancer.scheme = balancer.canonical_hosted_zone_id = None
        return balancer

    def dns_name(backend: ELBBackend | ELBv2Backend, name: str, scheme: str | None) -> str:
        internal = "internal-" if scheme == "internal" else ""
        number = zlib.crc32(f"{backend.account_id}/{name}".encode())
        return f"{internal}{name}-{number}.{backend.region_name}.elb.amazonaws.com"

    def latest_restorable_time(database: DBCluster | DBInstance) -> datetime:
        """A fixed time; moto says now, so that no two responses were alike."""
        return database.created

    def describe_reserved_instances(response: ReservedInstances) -> ActionResult:
        """None, as in an account that has bought none; moto's response is an error."""
        return ActionResult({"ReservedInstances": []})

    create, create_v2 = ELBBackend.create_load_balancer, ELBv2Backend.create_load_balancer
    RegionsAndZonesBackend.describe_regions = enabled_regions  # type: ignore[assignment,method-assign]
    LoadBalancer.source_security_group = property(source_security_group)  # type: ignore[assignment,method-assign]
    DBCluster.latest_restorable_time = property(latest_restorable_time)  # type: ignore[assignment,method-assign]
    DBInstance.latest_restorable_time = property(latest_restorable_time)  # type: ignore[assignment,method-assign]
    ReservedInstances.describe_reserved_instances = describe_reserved_instances  # type: ignore[assignment,method-assign]
    ELBBackend.create_load_balancer = create_load_balancer  # type: ignore[assignment,method-assign]
    ELBv2Backend.create_load_balancer = create_load_balancer_v2  # type: ignore[assignment,method-assign]


def serve(port: int = 0, *, state: Path | None = None, until_stdin_closes: bool = False) -> None:
    """Serves until it is told to stop by a signal, or by the end of whoever holds the other end of its stdin.

    Args:
        port: 0 takes a free one.
        state: A file that is written when the server answers, {"url": ..., "pid": ...}, and removed at the end.
    """
    from werkzeug.serving import make_server

    listener = socket.create_server((HOST, port), backlog=512)
    port = listener.getsockname()[1]
    os.environ |= MOTO_ENVIRONMENT | {"MOTO_PORT": str(port)}
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

    class QuietHandler(MotoRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            if type == "error":
                super().log(type, message, *args)

    correct_moto()
    app = Simulator(DomainDispatcherApplication(create_backend_app), NOT_IN_MOTO)
    server = make_server(HOST, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if until_stdin_closes:
        threading.Thread(target=_exit_after_stdin, args=(state,), daemon=True).start()
    try:
        if state:
            partial = state.with_name(state.name + ".partial")
            partial.write_text(json.dumps({"url": f"http://{HOST}:{port}", "pid": os.getpid()}))
            partial.replace(state)
        server.serve_forever()
    finally:
        if state:
            state.unlink(missing_ok=True)


def _exit_after_stdin(state: Path | None) -> None:
    while os.read(0, 1024):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    if state:
        state.unlink(missing_ok=True)
    os._exit(0)


# ---------------------------------------------------------------------------------------- the tests' side


class AwsControl:
    """Faults and counters of a simulated AWS that runs at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def add(self, *faults: Fault) -> None:
        self._send("POST", "faults", [asdict(fault) for fault in faults])

    def replace(self, *faults: Fault) -> None:
        self._send("PUT", "faults", [asdict(fault) for fault in faults])

    def remove(self, *faults: Fault) -> None:
        for fault in faults:
            self._send("DELETE", f"faults/{fault.name}")

    @contextmanager
    def during(self, *faults: Fault) -> Iterator[None]:
        """The faults, for the length of a block."""
        self.add(*faults)
        try:
            yield
        finally:
            self.remove(*faults)

    def faults(self) -> list[Fault]:
        return [_fault_of({k: v for k, v in one.items() if k != "hits"}) for one in self._send("GET", "faults")]

    def hits(self, fault: Fault) -> int:
        """How many calls the fault has met; 0 also if it is removed."""
        return sum(one["hits"] for one in self._send("GET", "faults") if one["name"] == fault.name)

    def wait_for(self, fault: Fault, *, hits: int = 1, timeout_seconds: float = 30.0) -> None:
        """Until the fault has met so many calls.

        Raises:
            TimeoutError: It hasn't in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while self.hits(fault) < hits:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{fault} has met {self.hits(fault)} of {hits} calls in {timeout_seconds} s")
            time.sleep(0.02)

    def latency(self, seconds: float) -> None:
        """Every call takes that much longer: 0.08 is usual between a data centre and AWS."""
        self._send("PUT", "latency", {"seconds": seconds})

    def calls(self, recent: int = RECENT_CALLS) -> Calls:
        response = self._send("GET", f"calls?recent={recent}")
        return Calls(**response | {"recent": [FinishedCall(**one) for one in response["recent"]]})

    def reset(self) -> None:
        """No faults, no latency, counters at zero; the estate stays."""
        self._send("PUT", "reset")

    def empty(self) -> None:
        """No estate: moto as it starts."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST"), timeout=30).close()

    def _send(self, method: str, resource: str, document: Any = None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/chartfleet/{resource}", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


class AwsServer(AwsControl):
    """A simulated AWS in a process of its own, which ends with the block, or with the process that started it."""

    def __init__(self, port: int = 0) -> None:
        super().__init__("")
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the server answers.

        Raises:
            RuntimeError: It didn't start; its last words are on stderr.
        """
        with tempfile.TemporaryDirectory(prefix="aws-server-") as folder:
            state = Path(folder, "state.json")
            command = [sys.executable, "-m", "tests.servers.aws", "--port", str(self._port), "--state", str(state)]
            root = Path(__file__).parents[2]
            self._process = subprocess.Popen([*command, "--until-stdin-closes"], stdin=subprocess.PIPE, cwd=root)
            deadline = time.monotonic() + START_SECONDS
            while not state.exists():
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"the simulated AWS did not start within {START_SECONDS} s")
                time.sleep(0.02)
            self.url = json.loads(state.read_text())["url"]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the simulated AWS is not running")
        return self._process.pid


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated AWS over HTTP, with faults on request.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one by default")
    parser.add_argument(
        "--state", type=Path, help="file for the URL and the process id, written when the server answers"
    )
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when the other end of stdin closes")
    arguments = parser.parse_args()
    serve(arguments.port, state=arguments.state, until_stdin_closes=arguments.until_stdin_closes)


if __name__ == "__main__":
    main()

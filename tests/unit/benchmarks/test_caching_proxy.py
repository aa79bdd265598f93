"""The proxy of the benchmark: it answers from memory, after a set latency, and tells accounts apart."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from benchmarks.peer.api_call import Callers, call_of
from benchmarks.peer.proxy_process import ProxyProcess

ACCOUNT, OTHER = "111122223333", "444455556666"


class Upstream:
    """A provider that numbers its responses. `statuses`: of the next ones; 200 after them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.statuses: list[int] = []
        self.body = b""
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                upstream.asked.append(f"{self.path} {asked}")
                body = upstream.body or str(len(upstream.asked)).encode()
                self.send_response(upstream.statuses.pop(0) if upstream.statuses else 200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("x-amzn-RequestId", "given")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST  # noqa: N815  # as the base class calls them

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    threading.Thread(target=upstream.server.serve_forever, daemon=True).start()
    yield upstream
    upstream.server.shutdown()
    upstream.server.server_close()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[ProxyProcess]:
    with ProxyProcess(upstream.url) as proxy:
        yield proxy


def signed(key: str, region: str, service: str, date: str = "20200101") -> dict[str, str]:
    scope = f"{key}/{date}/{region}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={date}"}


def ask(
    proxy: ProxyProcess, body: str, key: str = ACCOUNT, region: str = "us-east-1", *, service: str = "ec2", **more: str
) -> str:
    request = urllib.request.Request(f"{proxy.url}/", body.encode(), signed(key, region, service, **more))
    with urllib.request.urlopen(request) as response:
        text: str = response.read().decode()
        return text


def test_the_same_call_is_answered_from_memory_whatever_its_signature(proxy: ProxyProcess, upstream: Upstream) -> None:
    first = ask(proxy, "Action=DescribeVpcs", date="20200101")
    assert ask(proxy, "Action=DescribeVpcs", date="20200102") == first
    assert len(upstream.asked) == 1


def test_accounts_regions_services_and_bodies_are_told_apart(proxy: ProxyProcess, upstream: Upstream) -> None:
    responses = [
        ask(proxy, "Action=DescribeVpcs"),
        ask(proxy, "Action=DescribeVpcs", key=OTHER),
        ask(proxy, "Action=DescribeVpcs", region="eu-west-1"),
        ask(proxy, "Action=DescribeVpcs", service="rds"),
        ask(proxy, "Action=DescribeVpcs&NextToken=2"),
    ]
    assert responses == ["1", "2", "3", "4", "5"]


def test_it_counts_calls_and_those_that_it_forwarded(proxy: ProxyProcess) -> None:
    for _ in range(3):
        ask(proxy, "Action=DescribeVpcs")
    ask(proxy, "Action=DescribeDBInstances", service="rds")
    counters = proxy.counters()
    assert (counters.calls, counters.forwarded, counters.in_flight) == (4, 2, 0)
    assert counters.by_service == {"ec2": 3, "rds": 1}
    proxy.reset()
    assert proxy.counters().calls == 0
    assert ask(proxy, "Action=DescribeVpcs") == "1", "a reset forgets no response"


def test_each_call_takes_the_latency_however_many_there_are(proxy: ProxyProcess) -> None:
    ask(proxy, "Action=DescribeVpcs")
    proxy.latency(0.3)
    start = time.monotonic()
    threads = [threading.Thread(target=ask, args=(proxy, "Action=DescribeVpcs")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.3 <= time.monotonic() - start < 3  # one after the other: 6 s
    assert proxy.counters().max_in_flight > 1


def test_what_a_change_made_stale_is_asked_for_again(proxy: ProxyProcess, upstream: Upstream) -> None:
    ask(proxy, "Action=DescribeVpcs")
    assert proxy.refresh() == 1
    assert ask(proxy, "Action=DescribeVpcs") == "2"
    assert len(upstream.asked) == 2


def test_an_error_of_the_simulator_is_not_kept_a_denial_is(proxy: ProxyProcess, upstream: Upstream) -> None:
    upstream.statuses = [503, 403]
    for status in (503, 403, 403):
        with pytest.raises(urllib.error.HTTPError) as error:
            ask(proxy, "Action=GenerateServiceLastAccessedDetails", service="iam")
        assert error.value.code == status
    assert len(upstream.asked) == 2
    assert proxy.counters().errors == 1


def test_credentials_are_new_each_time_and_belong_to_the_account_of_the_role(
    proxy: ProxyProcess, upstream: Upstream
) -> None:
    ask(proxy, "Action=DescribeVpcs", key=OTHER)
    for key in ("ASIAONE", "ASIATWO"):
        upstream.body = (
            f"<AssumeRoleResult><Arn>arn:aws:sts::{OTHER}:assumed-role/Reader/x</Arn>"
            f"<AccessKeyId>{key}</AccessKeyId></AssumeRoleResult>"
        ).encode()
        assert key in ask(proxy, "Action=AssumeRole&RoleArn=r", service="sts")
        upstream.body = b""
        assert ask(proxy, "Action=DescribeVpcs", key=key) == "1"


def test_a_change_is_always_forwarded(proxy: ProxyProcess, upstream: Upstream) -> None:
    for _ in range(2):
        ask(proxy, "Action=CreateVpc&CidrBlock=10.0.0.0/16")
    assert len(upstream.asked) == 2


def test_a_path_is_forwarded_as_it_was_signed(proxy: ProxyProcess, upstream: Upstream) -> None:
    url = f"{proxy.url}/a%2Fb%20c?location=&prefix=%2F"
    with urllib.request.urlopen(urllib.request.Request(url, headers=signed(ACCOUNT, "us-east-1", "s3"))) as response:
        assert response.headers["x-amzn-RequestId"] == "given"
    assert upstream.asked == ["/a%2Fb%20c?location=&prefix=%2F "]


def test_it_answers_more_than_a_thousand_calls_a_second(proxy: ProxyProcess) -> None:
    """Its own CPU time is asked, which doesn't depend on what else this machine does."""
    for _ in range(500):
        ask(proxy, "Action=DescribeVpcs")
    counters = proxy.counters()
    assert counters.cpu_seconds / counters.calls < 0.001


def test_json_protocols_name_their_action_in_a_header() -> None:
    headers = signed(ACCOUNT, "us-east-1", "kms") | {"X-Amz-Target": "TrentService.ListKeys"}
    call = call_of("POST", "/", headers, json.dumps({"Limit": 10}).encode(), Callers())
    assert (call.action, call.may_be_kept) == ("ListKeys", True)

"""A name server over UDP: it answers what a test gives it, and that a name doesn't exist for every other name.

with NameServer({"logs.example.com": ["192.0.2.1"]}) as names:
    names.address   # "127.0.0.1:53124"
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping, Sequence
from typing import Self

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"
SERVER_FAILURE = "SERVFAIL"  # in the place of addresses


class NameServer:
    """`asked` has the names that somebody wanted to know of, in their order."""

    def __init__(self, addresses: Mapping[str, Sequence[str] | str]) -> None:
        self.addresses = dict(addresses)
        self.asked: list[str] = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                packet, socket = self.request
                socket.sendto(outer._response(packet), self.client_address)

        self._server = socketserver.ThreadingUDPServer((HOST, 0), Handler)
        self.address = f"{HOST}:{self._server.server_address[1]}"

    def start(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _response(self, packet: bytes) -> bytes:
        query = dns.message.from_wire(packet)
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append(name)
        response = dns.message.make_response(query)
        found = self.addresses.get(name)
        if found is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif isinstance(found, str):
            response.set_rcode(dns.rcode.from_text(found))
        elif question.rdtype == dns.rdatatype.A and found:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", *found))
        return response.to_wire()

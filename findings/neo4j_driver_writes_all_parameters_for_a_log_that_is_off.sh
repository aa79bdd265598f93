#!/usr/bin/env bash
# neo4j 6.4.1 (the Python driver): all parameters of a statement are made into a text, even if nothing is logged.
#
# The text is for a line of its debug log, and is made before anyone asks whether that log is on. For a statement with
# thousands of rows this takes about as long as packing them for the wire; who loads data pays it for each batch. Rows
# in a subclass of list with a short `__repr__` avoid it.
#
# Seen:
#   the debug log is off: True
#   texts made of 1,000 rows: 1000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check neo4j==6.4.1
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import socket
import threading

import neo4j

SUCCESS = b"\xb1\x70"
OF_HELLO = SUCCESS + b"\xa2\x86server\x8bNeo4j/5.0.0\x8dconnection_id\x81a"
OF_RUN = SUCCESS + b"\xa1\x86fields\x90"
HELLO, RUN = 0x01, 0x10


def serve(listening: socket.socket) -> None:
    """As much of a server as one statement needs: it says yes to each message of Bolt 5.0."""
    connection, _ = listening.accept()
    with connection, connection.makefile("rb") as incoming:
        incoming.read(20)
        connection.sendall(b"\x00\x00\x00\x05")
        message = b""
        while size := incoming.read(2):
            if length := int.from_bytes(size, "big"):
                message += incoming.read(length)
                continue
            reply = {HELLO: OF_HELLO, RUN: OF_RUN}.get(message[1], SUCCESS + b"\xa0")
            connection.sendall(len(reply).to_bytes(2, "big") + reply + b"\x00\x00")
            message = b""


class Row(dict):
    texts = 0

    def __repr__(self) -> str:
        Row.texts += 1
        return super().__repr__()


listening = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listening,), daemon=True).start()
address = f"bolt://127.0.0.1:{listening.getsockname()[1]}"
with neo4j.GraphDatabase.driver(address) as driver, driver.session(database="neo4j") as session:
    session.run("UNWIND $rows AS row RETURN count(row)", rows=[Row(id=number) for number in range(1000)]).consume()
off = not logging.getLogger("neo4j").isEnabledFor(logging.DEBUG)
print("the debug log is off:", off)
print("texts made of 1,000 rows:", Row.texts)
assert off
assert Row.texts == 1000
PYTHON

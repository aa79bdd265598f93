"""`python -m tests.servers.aws`: a standalone simulated AWS."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.servers.aws.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(description="A simulated AWS over HTTP, with faults on request.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one by default")
    parser.add_argument(
        "--state", type=Path, help="file for the URL and the process id, written once the server is ready"
    )
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when the other end of stdin closes")
    arguments = parser.parse_args()
    serve(arguments.port, state=arguments.state, until_stdin_closes=arguments.until_stdin_closes)


if __name__ == "__main__":
    main()

"""A company in a process of its own: python -m tests.servers.company --state FILE; the file says where it answers."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

from tests.servers.company import Company


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    state: Path = parser.parse_args().state
    with Company() as company:
        whole = state.with_suffix(".new")
        whole.write_text(json.dumps({"url": company.url}))
        whole.rename(state)  # whoever waits for the file finds it whole
        threading.Event().wait()


if __name__ == "__main__":
    main()

"""`python -m tests.ledger_model`: the size of the ledger's state space, and that no promise is broken in it."""

from __future__ import annotations

import argparse
import sys

from tests.ledger_model.search import explore
from tests.ledger_model.world import Bounds


def main() -> int:
    parser = argparse.ArgumentParser(description="Explores every state of a small run of the ledger.")
    for name, default in (("scopes", 2), ("attempts", 2), ("batches", 2), ("resumes", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    found = explore(Bounds(**vars(parser.parse_args())))
    print(found)
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())

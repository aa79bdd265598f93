"""Python imports this when a worker of the harness starts that is to break a promise; see `tests.soak.broken`."""

import os
import sys

if "workers.app" in sys.orig_argv and (name := os.environ.get("SOAK_BREAKAGE")):
    from tests.soak import broken

    broken.break_promise(name)

"""Where `celery -A workers.app` finds the app: the name that scripts and unit files use.

`python -P -m workers.app worker ...` is Celery's own command line with this app. Unlike `celery -A`, it never imports
anything from the working directory.
"""

from __future__ import annotations

import sys

from workers.import_path import check_packages, working_directory_left_out

with working_directory_left_out():
    check_packages()
    from workers.fleet.app import app as app

if __name__ == "__main__":
    sys.exit(app.start(sys.argv[1:]))

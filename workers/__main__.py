"""`python -m workers`: the same as `chartfleet`."""

from __future__ import annotations

from workers.cli import main
from workers.import_path import leave_out_working_directory

leave_out_working_directory()
main()

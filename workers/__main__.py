"""`python -m workers`: the same as `chartfleet`."""

from __future__ import annotations

from workers.import_path import leave_out_working_directory

leave_out_working_directory()

from workers.cli import main  # noqa: E402  # not before the import path is clean

main()

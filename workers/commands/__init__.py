"""The commands of `chartfleet`, one file each."""

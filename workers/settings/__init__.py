"""Settings: what they are, where their values come from, and the checks that they pass at start."""

"""Provider packages written for an earlier Chartfleet: their imports, names and keyword arguments go on working."""

"""What a run saw and found, for people and as JSON."""

"""What providers publish of their APIs, pinned: reduced to the calls that are made, with the version in the file."""

"""Everything that only a developer's machine runs: the embedded database engine, the local front door, sample data."""

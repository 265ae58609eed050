"""The export command: the rows of a query of a running service, as files in a directory."""

"""The meaning of events: the row of each, the rules that merge them, the forms that service logs write. Pure."""

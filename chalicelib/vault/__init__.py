"""The names, places and number of user secrets. Pure."""

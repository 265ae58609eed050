"""What notifications say, which there are, and when two of them are the same. Pure."""

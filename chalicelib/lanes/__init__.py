"""Which lanes there are, and which of them to read: data and pure functions."""

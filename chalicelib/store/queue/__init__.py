"""The queue of requests that are stored later, and the bucket of those that are too large for it."""

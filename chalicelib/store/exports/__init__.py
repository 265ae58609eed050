"""Exports that a function writes: how far each is, its files in a bucket, and the function itself."""

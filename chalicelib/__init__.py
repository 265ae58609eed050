"""Gatebook: scoped API tokens at the gate, and the book of who came through it."""

"""The part of API Gateway between a client and the function: its events, its limits, and its own answers."""

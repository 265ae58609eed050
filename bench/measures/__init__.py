"""Measures: one module for each part of the service, each a function from a service to results."""

"""Generates the tables of the documents from the code."""

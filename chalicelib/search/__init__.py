"""Parses the text of `q=`: one table of filters per log, a lexer and a parser over it. Pure."""

"""What the text of `q=` asks for: one table of filters per log, a lexer and a parser over it. Pure."""

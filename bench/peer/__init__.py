"""The peer: the same rows in PostgreSQL, with the columns and indexes that Coder has for them."""

"""The shapes of the wire: what comes in, checked by pydantic, and what goes out, with Coder's field names."""

"""The only room that knows HTTP: one file per resource, and the gate that every request passes."""

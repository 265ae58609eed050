"""Real shippers against a served instance: what they send arrives, once."""

"""Users, organizations and API keys, and the claims that keep their names unique."""

"""What API Gateway does between a client and the function: its events, its limits, and what it answers itself."""

"""What things cost, measured and printed."""

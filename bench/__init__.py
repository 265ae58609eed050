"""What things cost: a meter for what is asked of DynamoDB, and everything that is measured with it."""

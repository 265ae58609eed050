"""DynamoDB itself: the client, one call, many calls, a transaction, and what the tables are."""

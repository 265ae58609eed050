"""The only room that knows DynamoDB: tables, lanes, plans, pages and writers."""

"""DynamoDB's bill for a call, from the sizes of items and the definitions of tables. Knows nothing of Gatebook."""

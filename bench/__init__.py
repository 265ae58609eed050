"""The meter: it counts what requests to DynamoDB cost, and measures every part of the service by that."""

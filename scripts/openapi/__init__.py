"""The API as an OpenAPI 3.1 document, made of the routes, the models and the tables of filters, scopes and rights."""

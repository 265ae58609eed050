"""Commands that hold the service against its OpenAPI document, and the document against the one of the last release."""

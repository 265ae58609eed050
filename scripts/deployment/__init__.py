"""Makes the parts of a deployment to AWS beside the code, from the tables that the code declares."""

"""What a deployment to AWS needs beside the code, made from the tables that the code declares."""

"""The auditors' page: static files, and the few routes that serve them and sign a browser in."""

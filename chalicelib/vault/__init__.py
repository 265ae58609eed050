"""What a user secret may be called, where it may go, and how many there may be. Pure."""

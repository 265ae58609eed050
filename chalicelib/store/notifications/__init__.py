"""Notifications: the inbox of each user, what is chosen about them, and what is still to be sent."""

"""Dispatches notifications to their users: stored with the request that asks for one, sent later by a schedule."""

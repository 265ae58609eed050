"""The state of retention, the records of its runs, and the oldest rows of a lane."""

"""The programs and settings that shippers run with."""

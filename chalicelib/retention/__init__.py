"""How long things are kept: what is past its time is not shown, is not taken in again, and is deleted."""

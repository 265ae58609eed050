"""The only room that knows DynamoDB: tables, lanes, plans, pages and writers."""

from __future__ import annotations

import logging

# At INFO pynamodb tells every start, while it is imported, that it found no settings file.
logging.getLogger("pynamodb").setLevel(logging.WARNING)

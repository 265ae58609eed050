"""The only room that knows DynamoDB: tables, lanes, plans, pages and writers."""

from __future__ import annotations

import logging

# At INFO these tell every start that there is no settings file of pynamodb, and where botocore found credentials.
for name in ("pynamodb", "botocore.credentials"):
    logging.getLogger(name).setLevel(logging.WARNING)

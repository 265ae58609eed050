"""Operations of DynamoDB that other engines which speak its protocol may lack (dynalite, ScyllaDB Alternator).

Whether the engine has one is learnt from its first answer, and holds for the process.
"""

from __future__ import annotations

import logging

from botocore.exceptions import ClientError

_UNKNOWN = frozenset({"UnknownOperationException", "UnsupportedOperationException"})

_log = logging.getLogger(__name__)


class OptionalOperation:
    """An operation that the engine may lack.

    Attributes:
        name: as DynamoDB names it.
        is_lacking: whether the engine has refused it as unknown; then it need not be sent again.

    Args:
        warning: what is logged, once, where the engine lacks it.
    """

    def __init__(self, name: str, warning: str) -> None:
        self.name = name
        self.is_lacking = False
        self._warning = warning

    def learn_from(self, refusal: ClientError) -> None:
        """Note that the engine lacks the operation, where it was refused for that.

        Raises:
            ClientError: the refusal, where it has another reason.
        """
        if refusal.response["Error"]["Code"] not in _UNKNOWN:
            raise refusal
        self.is_lacking = True
        _log.warning(self._warning)

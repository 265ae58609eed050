"""The stages: what differs between a deployment to try things in and the one that guards and keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: also the name of the stage of the API, the last part of its address.
        keeps: its tables outlive the stack and cannot be deleted by accident.
        log_days: how long logs are kept, unless the deployment says otherwise.
    """

    name: str
    keeps: bool
    log_days: int

    @property
    def policies(self) -> dict[str, str]:
        """The deletion policies of a table or a log that the stack lets go.

        One that was made by a deployment which then failed is taken away again: the next would find its name taken.
        """
        if self.keeps:
            return {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
        return {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}

    @property
    def table_prefix(self) -> str:
        """The prefix of its tables, unless the deployment sets another."""
        return f"gatebook-{self.name}-"


STAGES = {
    stage.name: stage for stage in (Stage("dev", keeps=False, log_days=7), Stage("prod", keeps=True, log_days=90))
}

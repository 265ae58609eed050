"""Makes the first owner of a deployment: `scripts/bootstrap --stage prod --email E --username U`.

It writes to the tables with the AWS credentials of whoever calls it. That is the whole of the check: who may write to
the tables of a deployment is an owner of it anyway. The token is printed once and kept nowhere.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from botocore.exceptions import ClientError

from scripts.deployment.advice import advised
from scripts.deployment.stages import STAGES

_PREFIX = "GATEBOOK_TABLE_PREFIX"


class Refused(Exception):
    """No owner is made; the text says why, and what to do."""


def bootstrap(username: str, email: str, *, again: bool) -> str:
    """Make an owner and answer a token of theirs.

    Args:
        username: of the owner; with `again`, one who is there already just gets another token.
        email: of the owner.
        again: go on although there is an owner.

    Raises:
        Refused: there is an owner, or the name belongs to a user who is none.
    """
    # The settings, and with them the names of the tables, are read at the import of the store.
    from chalicelib.store.directory import people  # noqa: PLC0415 - as said
    from chalicelib.store.directory.claims import Taken  # noqa: PLC0415 - as above
    from scripts.owner import is_usable, make_owner, mint_token, usable_owner  # noqa: PLC0415 - as above

    there = usable_owner()
    if there is not None and not again:
        raise Refused(
            f"There is an owner, {there.username}. Give --again to make another one, or to renew a lost token."
        )
    known = [people.get_user(user_id) for user_id in people.user_ids("username", username)]
    owner = next((user for user in known if is_usable(user)), None)
    if owner is None:
        try:
            owner = make_owner(username, email)
        except Taken as error:
            raise Refused(f"Another user has this {' and '.join(error.fields)}.") from error
    return mint_token(owner, "bootstrap")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status: 0 with the token on standard output, 2 when it is refused."""
    parser = argparse.ArgumentParser(prog="scripts/bootstrap", description="Make the first owner of a deployment.")
    parser.add_argument("--stage", choices=STAGES, required=True, help="which stage")
    parser.add_argument("--username", required=True)
    parser.add_argument("--email", required=True)
    parser.add_argument("--again", action="store_true", help="go on although there is an owner")
    parser.add_argument("--table-prefix", help="what its tables are called by, where the deployment was given another")
    given = parser.parse_args(arguments)
    os.environ[_PREFIX] = given.table_prefix or STAGES[given.stage].table_prefix
    try:
        token = _bootstrap_checked(given)
    except Refused as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 2
    print(f"{given.username} owns the {given.stage} stage. Their token, which is told this once:", file=sys.stderr)
    print(token)
    return 0


def _bootstrap_checked(given: argparse.Namespace) -> str:
    from chalicelib.errors import Unavailable  # noqa: PLC0415 - after the prefix is set
    from chalicelib.setting_kinds import EMAIL, USERNAME  # noqa: PLC0415 - as above
    from chalicelib.settings import InvalidSetting, current  # noqa: PLC0415 - as above

    for value, kind in ((given.username, USERNAME), (given.email, EMAIL)):
        try:
            kind.parse(value)
        except ValueError as error:
            raise Refused(f"{value!r} is not {kind.accepts}.") from error
    logging.disable(logging.WARNING)  # the store's own account of a failure would be a second line
    try:
        prefix = current().table_prefix
        return bootstrap(given.username, given.email, again=given.again)
    except InvalidSetting as error:
        raise Refused(str(error)) from error
    except Unavailable as error:
        raise Refused(f"DynamoDB cannot be reached: {advised(error.__cause__ or error)}") from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            raise Refused(f"There are no tables called {prefix}…: deploy first, or give --table-prefix.") from error
        raise Refused(f"DynamoDB refuses it: {advised(error)}") from error
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    sys.exit(main())

"""The gate: who is calling, by the token they bring.

Tokens are taken from every place Coder takes them from, and refused with its words. A token is checked in the handler's
own process at every request, with consistent reads and no cache, so that a revocation takes effect on the next request.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from urllib.parse import urlsplit

from chalicelib import times
from chalicelib.access import allow_list, lifetime, networks, secret
from chalicelib.access.decide import Secret, Subject
from chalicelib.api import rate_limits, refusals, request_log, usage
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Forbidden, GatebookError, NoToken, Unauthorized
from chalicelib.records import APIKey, User
from chalicelib.settings import current
from chalicelib.store.directory import api_keys, people
from chalicelib.store.directory.claims import Claims

Names = Sequence[tuple[str, str]]
"""Fields and values, such as `("username", "alice")`."""

TOKEN_NAME = "coder_session_token"  # noqa: S105 - the name of a cookie, not a token
EXPIRY_HEADER = "Coder-Session-Expires"
TOKEN_HEADER = "Coder-Session-Token"  # noqa: S105 - the name of a header

_SIGNED_OUT = "You are signed out or your session has expired. Please sign in again to continue."
_NO_TOKEN = f'Cookie "{TOKEN_NAME}" or query parameter must be provided.'
_UNKNOWN = "API key is invalid."
_SCHEMES = ("bearer", "splunk")
"""The words before a token in `Authorization`; the second is what clients of Splunk's collector send."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_HASH = bytes(32)
_INSUFFICIENT = {
    "WWW-Authenticate": (
        'Bearer realm="coder", error="insufficient_scope",'
        ' error_description="The request requires higher privileges than provided by the access token"'
    )
}


def authenticated(
    view: Callable[..., Answer], names: Callable[[Call], Names] = lambda _: (), *, retired: bool = False
) -> Callable[..., Answer]:
    """A view that wants a token: it is called with the Caller after the Call.

    Args:
        view: the view.
        names: the names that a request speaks of, which are looked up in the same call as the user.
        retired: whether the view is also called for a retired secret; it does nothing for one but `repeating` first.
    """

    @wraps(view)
    def checked(call: Call, **parameters: str) -> Answer:
        caller = authenticate(call, names(call), retired=retired)
        headers = _expiry(caller, times.now())
        try:
            answer = view(call, caller, **parameters)
        except GatebookError as error:
            error.headers |= headers
            if isinstance(error, Forbidden):
                refusals.note_refusal(call, caller.key, error)
            raise
        return answer._replace(headers={**answer.headers, **headers})

    return checked


def authenticate(call: Call, names: Names = (), token: str | None = None, *, retired: bool = False) -> Caller:
    """The caller of a request; tokens that open nothing are counted by the address that they come from.

    A token that opens is let through whatever else comes from its address: people share addresses.

    Args:
        call: the request.
        names: what to look up in the same call as the user; see `chalicelib.store.directory.people`.
        token: the only one that counts, where a view takes it from one place; "" is none.
        retired: whether a retired secret is let through.

    Raises:
        Unauthorized: there is no token, or it opens nothing.
        Forbidden: a browser sends the cookie along with a request that another site made.
        TooManyRequests: the address has brought too many tokens that open nothing.
    """
    try:
        return _authenticate(call, names, token, retired=retired)
    except NoToken:
        raise
    except Unauthorized:
        rate_limits.count(rate_limits.FAILURES, call.source_ip)
        raise


def _authenticate(call: Call, names: Names, token: str | None, *, retired: bool) -> Caller:
    """The caller of a request.

    Args:
        call: the request.
        names: what to look up in the same call as the user; see `chalicelib.store.directory.people`.
        token: the only one that counts, where a view takes it from one place; "" is none.
        retired: whether a retired secret is let through.

    Raises:
        Unauthorized: there is no token, or it opens nothing.
        Forbidden: a browser sends the cookie along with a request that another site made.
    """
    key_id, key_secret = _split(_token(call) if token is None else token)
    now = times.now()
    key = api_keys.get(key_id) if secret.is_key_id(key_id) else None
    opened = _opens(key_secret, key, now)
    if key is not None and opened:
        request_log.note(key_id=key.id)
    if key is None or opened is None or (opened is Secret.RETIRED and not retired):
        error = wrong_secret() if key else _unauthorized(detail=_UNKNOWN)
        if secret.is_key_id(key_id):
            refusals.note_failure(call, key_id, key, error)
        raise error
    try:
        user, known = _admitted(call, key, names, now)
    except (Forbidden, Unauthorized) as error:
        refusals.note_refusal(call, key, error)
        raise
    usage.record(key, user, now, opened)
    subject = Subject(
        user_id=user.id,
        roles=user.roles,
        organization_roles=user.organization_roles,
        scopes=key.scopes,
        allow_list=tuple(allow_list.parse(entry) for entry in key.allow_list),
        secret=opened,
    )
    return Caller(user, key, subject, known)


def _admitted(call: Call, key: APIKey, names: Names, now: datetime) -> tuple[User, Claims]:
    """The user of a token whose secret was right, and what is known of the names that a request speaks of.

    Raises:
        Unauthorized: the token has ended, or its user may not act.
        Forbidden: the token may not be used from there.
    """
    if key.expires_at <= now:
        raise _unauthorized(detail=f'API key expired at "{_go_time(key.expires_at)}".')
    if not networks.contain(key.allowed_ips, call.source_ip):
        raise Forbidden(detail=f"This token may not be used from {call.source_ip}.", headers=_INSUFFICIENT)
    known: Claims = {}
    if names:
        user, known = people.get_user_and_claims(key.user_id, names)
    else:
        user = people.get_user(key.user_id, consistent=True)
    if user is None or user.deleted or key.created_at < user.created_at:
        raise _unauthorized(detail=_UNKNOWN)
    if user.status == "suspended":
        raise _unauthorized(
            'User is not active (status = "suspended"). Contact an admin to reactivate your account.',
        )
    return user, known


def _split(token: str) -> tuple[str, str]:
    """The id and the secret of a token.

    Raises:
        Unauthorized: there is no token, or it is malformed.
    """
    if not token:
        raise _unauthorized(detail=_NO_TOKEN, kind=NoToken)
    try:
        return secret.split(token)
    except secret.MalformedToken as error:
        raise _unauthorized(detail=f"Invalid API key format: {error}") from error


def _expiry(caller: Caller, now: datetime) -> Mapping[str, str]:
    """The header with the end of the secret in its grace, or of the token in its last tenth."""
    key = caller.key
    if caller.subject.secret is Secret.REPLACED:
        return {EXPIRY_HEADER: times.wire(caller.opens_until)}
    slides = key.login_type != lifetime.FIXED_LIFETIME and not current().disable_session_expiry_refresh
    if slides or not lifetime.is_in_last_tenth(key.created_at, key.expires_at, now):
        return {}
    return {EXPIRY_HEADER: times.wire(key.expires_at)}


def _opens(key_secret: str, key: APIKey | None, now: datetime) -> Secret | None:
    """Which secret of the token this is; None for none of them.

    An unknown token, one with a single secret and one with several take the same work.
    """
    given = secret.hash_secret(key_secret)
    right = secret.same(given, key.hashed_secret if key else _NO_HASH)
    before = secret.same(given, key.previous_secret if key and key.previous_secret else _NO_HASH)
    in_grace = key is not None and key.previous_until is not None and now < key.previous_until
    retired = secret.same(given, key.retry_secret if key and key.retry_secret else _NO_HASH)
    if right:
        return Secret.CURRENT
    if before and in_grace:
        return Secret.REPLACED
    return Secret.RETIRED if retired else None


def _token(call: Call) -> str:
    cookie = _cookie(call.header("Cookie"), TOKEN_NAME)
    if cookie:
        _refuse_cross_site(call)
    return (
        cookie
        or call.query(TOKEN_NAME)
        or call.header(TOKEN_HEADER)
        or _bearer(call.header("Authorization"))
        or _basic_password(call.header("Authorization"))
        or call.query("access_token")
    )


def _cookie(header: str, name: str) -> str:
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value.strip('"')
    return ""


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() in _SCHEMES else ""


def _basic_password(header: str) -> str:
    """The password of Basic authentication, RFC 7617, for senders that have nothing else; the user may be anybody."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        text = b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        return ""
    return text.partition(":")[2].strip()


def _refuse_cross_site(call: Call) -> None:
    """A cookie goes along with whatever a page asks for, so a change must come from our own pages."""
    if call.method in _READING or call.header(TOKEN_HEADER):
        return
    origin = call.header("Origin")
    own = {call.header("Host"), urlsplit(current().access_url).netloc}
    foreign = origin and origin.partition("://")[2] not in own
    if foreign or call.header("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise Forbidden(
            "Something is wrong with your request's origin.",
            f"Send the token in the {TOKEN_HEADER} header to call from other sites.",
            headers=_INSUFFICIENT,
        )


def wrong_secret() -> Unauthorized:
    """The answer to a secret that opens nothing."""
    return _unauthorized(detail="API key secret is invalid.")


def _unauthorized(
    message: str = _SIGNED_OUT, detail: str = "", kind: type[Unauthorized] = Unauthorized
) -> Unauthorized:
    expired = "expired" in f"{message}{detail}"
    challenge = (
        'Bearer realm="coder", error="invalid_token", error_description="The access token'
        f' {"has expired" if expired else "is invalid"}",'
        f' resource_metadata="{current().access_url}/.well-known/oauth-protected-resource"'
    )
    return kind(message, detail, headers={"WWW-Authenticate": challenge})


def _go_time(moment: datetime) -> str:
    text = times.wire(moment)
    return f"{text[:-1].replace('T', ' ')} +0000 UTC"

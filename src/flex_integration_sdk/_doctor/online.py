"""Whether the stored token still lives, and whether a sign-in works. Only with ``--online``.

Nothing else in this folder sends a token or the client secret, or asks the token endpoint. These do
only if the server has responded as the API does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from flex_integration_sdk._client.builder import InstanceOptions, build
from flex_integration_sdk._client.forced_refresh import refresh_now
from flex_integration_sdk._client.oauth import SyncGrants
from flex_integration_sdk._client.sync import PARTS, IntegrationSDK
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._transport.sync import Http
from flex_integration_sdk._wire.interpret import interpret
from flex_integration_sdk._wire.requests import prepare
from flex_integration_sdk.config import Settings
from flex_integration_sdk.errors import (
    ApiError,
    AuthenticationError,
    ClientSecretError,
    FlexError,
    ForbiddenError,
    MissingSecretError,
    RateLimitedError,
    ServerError,
)
from flex_tokenstore import Secret, Token
from flex_tokenstore.embedding import owner_named
from flex_tokenstore.errors import GrantError, TokenStoreError

from .checks import check
from .finding import Outcome, SkipCheck, error, ok
from .ground import Ground
from .ownership import doctor_as
from .remedies import remedy_for

_TYPE = "an application of type Integration API"
_MARKETPLACE = (
    f"Create {_TYPE} in Console, and use its client id and secret: one of type Marketplace API "
    "cannot use this API"
)
# RFC 6749 section 5.2: the client is known, and may not have what it asks for.
_NOT_FOR_THIS_API = ("invalid_scope", "unauthorized_client", "unsupported_grant_type")


# Whoever finds an error there cannot be sure to save a token.
_OF_SAVING = ("place.disk", "place.mount", "store.read", "store.lock", "store.save")
# Beyond the limit of a check: a store and a server, one after the other, with limits of their own.
_EXTRA = 20.0


@check("online.refresh", extra=_EXTRA)
def refresh(ground: Ground) -> Iterator[Outcome]:
    """Whether the stored refresh token lives, and the API accepts what is issued for it.

    It refreshes the token though it still works, which alone tells, and saves the new one. It never
    signs in.
    """
    _needed(ground)
    if ground.token is None:
        raise SkipCheck("No token is stored.")
    has_refresh_token = ground.token.refresh_token is not None
    if has_refresh_token:
        _must_be_savable(ground)
    try:
        with _instance(ground) as sdk:
            session = sdk.session
            stored = session.peek() if has_refresh_token else None
            is_new = stored is not None and refresh_now(session, stored) is not None
            sdk.marketplace.show()
    except (FlexError, TokenStoreError) as failed:
        yield _of_call(ground, failed)
        return
    ground.client_known = True
    if not has_refresh_token:
        yield ok("The API accepts the stored access token, which has no refresh token")
    elif not is_new:
        yield ok("The API accepts the stored access token; the server issues no other one yet")
    elif session.saved:  # closing the instance tries once more
        yield ok("The refresh token lives: the token was refreshed and saved, and the API takes it")
    else:
        yield error(
            f"The token was refreshed, but the new one could not be saved in {ground.store.place}, "
            "and the one there is used up",
            "See to it that the token store can save, as the other findings say. The next call "
            "signs in with the client secret",
        )


def _must_be_savable(ground: Ground) -> None:
    """Raises SkipCheck if the new token could be lost: the old one would be used up by then."""
    if ground.store.abilities.read_only:
        raise SkipCheck("The token store only reads, so a refreshed token could not be saved.")
    if (uid := ground.stranger) is not None:
        raise SkipCheck(
            f"Not tried, since root would save the token as a file of its own, which "
            f"{owner_named(uid)} could not use: run `{doctor_as(uid)} --online`."
        )
    if ground.lock_is_held:
        raise SkipCheck("Another program holds the token lock; see store.lock.")
    if found := next((id for id in _OF_SAVING if id in ground.failed), ""):
        raise SkipCheck(
            "Not tried, since a refresh uses up the stored refresh token, and the new one might "
            f"not be saved; see {found}."
        )


def _needed(ground: Ground) -> None:
    """Raises SkipCheck if nothing may be sent."""
    if not ground.online:
        raise SkipCheck("No token request is sent without --online.")
    ground.way.open()
    if not ground.way.is_api:
        raise SkipCheck("The server does not respond as the API does; see network.api.")


def _instance(ground: Ground) -> IntegrationSDK:
    seconds = ground.timeout
    # Without repetitions: what is seen is told.
    options = InstanceOptions(
        timeout=seconds, request_timeout=seconds, lock_timeout=seconds, max_retries=0
    )
    # Without the secret: a sign-in would replace the token that is looked at.
    settings = replace(ground.settings, secret_source=None, token_store=ground.store_config)
    return build(PARTS, options, settings)


def _of_call(ground: Ground, failed: FlexError | TokenStoreError) -> Outcome:
    if isinstance(failed, MissingSecretError):
        return _of_dead_token(ground, failed)
    if isinstance(failed, GrantError | FlexError):
        return _of_server(ground, failed, "The stored token could not be used")
    return error(f"The stored token could not be used: {failed}", remedy_for(failed, ground))


def _of_dead_token(ground: Ground, failed: MissingSecretError) -> Outcome:
    text = "The stored token does not work any more"
    if failed.why == "rejected":
        said = (failed.rejected_by or "the server rejected the refresh token").rstrip(".")
        text = f"The stored refresh token does not work any more: {said}"
    elif failed.why == "no_refresh_token":
        text += ", and has no refresh token"
    if ground.settings.secret_source is None:
        return error(text, "Configure a client secret: the next call signs in with it")
    return error(
        text,
        "Make any call: it signs in with the client secret, once the access token does not work "
        "either. If this comes again, find the program that uses this client without sharing "
        "this store, or revokes its tokens",
    )


@check("online.sign_in", extra=_EXTRA)
def sign_in(ground: Ground) -> Iterator[Outcome]:
    """Whether the client secret is accepted, and the API accepts what is issued for it.

    The token is not kept, and not revoked: that might revoke the client's other tokens.
    """
    _needed(ground)
    settings = ground.settings
    if settings.secret_source is None:
        raise SkipCheck("No client secret is configured, or it cannot be read; see secret.")
    http = Http(settings.base_url, ground.timeout, ground.timeout)
    try:
        token = _signed_in(settings, http)
        _call(settings, http, token)
    except ClientSecretError:
        raise
    except ValueError as failed:
        yield error(
            f"The server's response to the sign-in cannot be used: {failed}",
            f"Correct {ground.named('base_url')}",
        )
        return
    except FlexError as failed:
        yield _of_sign_in(ground, failed)
        return
    finally:
        http.close()
    yield ok("A sign-in with the client secret works; its token was not kept")


def _signed_in(settings: Settings, http: Http) -> Token:
    begun = time.time()
    answer = Secret(SyncGrants(settings, http).sign_in())
    return Token.issued(answer.reveal(), identity_key=settings.identity.key, obtained_at=begun)


def _call(settings: Settings, http: Http, token: Token) -> None:
    endpoint = ENDPOINTS["marketplace.show"]
    answer = http.send(prepare(settings.base_url, endpoint, {}, {}), token)
    interpret(answer, endpoint.method, endpoint.path)


def _of_sign_in(ground: Ground, failed: FlexError) -> Outcome:
    if isinstance(failed, AuthenticationError) and not isinstance(failed, ApiError):
        text = f"A sign-in does not work: {str(failed).partition('; ')[0]}"
        if failed.code in _NOT_FOR_THIS_API:
            return error(text, _MARKETPLACE)
        if failed.status in (400, 401):
            return error(text, _wrong_client(ground))
    return _of_server(ground, failed, "A sign-in does not work")


def _wrong_client(ground: Ground) -> str:
    secret, client = _named_secret(ground), ground.named("client_id")
    if ground.client_known:
        return (
            f"Put the present secret of the application, from Console, into {secret}: the server "
            "accepts this client's stored token, so the client id is right"
        )
    return (
        f"Compare {client} and {secret} with Console: both must be of one and the same {_TYPE[3:]},"
        " and a secret that was replaced there does not work any more"
    )


def _named_secret(ground: Ground) -> str:
    """Where the secret is, and which setting says so."""
    source, named = ground.settings.secret_source, ground.named("client_secret")
    if source is None or not source.described.startswith("in the file "):
        return named
    return f"{source.described[3:]} ({named.replace('client_secret in', 'client_secret_file in')})"


def _of_server(ground: Ground, failed: Exception, what: str) -> Outcome:
    text = f"{what}: {failed}"
    if isinstance(failed, ForbiddenError):
        return error(text, _MARKETPLACE)
    if isinstance(failed, RateLimitedError):
        wait = failed.retry_after
        when = "a minute" if wait is None else f"{wait:g} s"
        return error(text, f"Wait {when}, then run `flex-sdk doctor` again")
    if isinstance(failed, ServerError):
        return error(text, "Try again later; if it lasts, tell whoever runs the server")
    return error(text, f"Check the network, and {ground.named('base_url')}")


CHECKS = (refresh, sign_in)

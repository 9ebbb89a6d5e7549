"""redis-py's errors: what each means, and what to do. Their own text may quote a command."""

from __future__ import annotations

import errno
import os
import re
import socket

import redis
import redis.asyncio.sentinel
import redis.sentinel
from redis import exceptions as of

from flex_tokenstore.records import Kind, Problem, tls_problem

from ._options import Options

_DENIED = (
    "its user may not do this: grant it the commands and keys that the README of this plugin lists"
)
_SIGN_IN = (
    "it does not accept the user name or password: check the options username and password; in a "
    "url, the password must be percent-encoded (% as %25)"
)
_ANONYMOUS = "it demands a password: set the option password"
_NO_CONNECTION = "no connection of the program's own pool became free: enlarge that pool"
# By the code that begins the server's answer. A script may run into each of them too.
_BY_CODE = {
    "NOAUTH": (Kind.UNAVAILABLE, _ANONYMOUS),
    "WRONGPASS": (Kind.UNAVAILABLE, _SIGN_IN),
    "NOPERM": (Kind.DENIED, _DENIED),
    "READONLY": (Kind.WRONG_SERVER, "it is a replica: name the primary, or its Sentinels"),
    # Not a refusal that lasts: it may be looking for its primary.
    "MASTERDOWN": (Kind.LOST, "it is a replica without its primary: name the primary"),
    # To those who wait for a release when it stops being the primary.
    "UNBLOCKED": (Kind.LOST, "it has become a replica: name the primary, or its Sentinels"),
    "MOVED": (Kind.UNAVAILABLE, "it is a node of a Cluster: set the option cluster"),
    "OOM": (Kind.UNAVAILABLE, "its memory is full: raise maxmemory"),
    "MISCONF": (Kind.UNAVAILABLE, "it cannot write to its disk, so it refuses writes: see its log"),
    "NOREPLICAS": (
        Kind.UNAVAILABLE,
        "too few replicas are connected (min-replicas-to-write): start them",
    ),
    "LOADING": (Kind.BUSY, "it is still loading its data: try again"),
    "BUSY": (Kind.BUSY, "it runs somebody's script for too long: end it with SCRIPT KILL"),
    "UNKILLABLE": (Kind.BUSY, "it runs somebody's script that cannot be ended: see its log"),
    "TRYAGAIN": (Kind.BUSY, "the Cluster is moving this key: try again"),
    "ASK": (Kind.BUSY, "the Cluster is moving this key: try again"),
    "CLUSTERDOWN": (Kind.BUSY, "the Cluster is down: check its nodes"),
    "WRONGTYPE": (
        Kind.UNAVAILABLE,
        "that key, or the one of its lock (its name and :lock), is of a type that this store does "
        "not write: remove it, or choose another prefix",
    ),
}
# By how the rest of an ``ERR`` begins, word for word; it has no code of its own.
_BY_WORDS = {
    "Authentication required": (Kind.UNAVAILABLE, _ANONYMOUS),
    "max number of clients reached": (
        Kind.BUSY,
        "it has no free connection left: raise its maxclients",
    ),
    "Too many connections": (Kind.BUSY, _NO_CONNECTION),
    "No connection available": (Kind.BUSY, _NO_CONNECTION),
    "invalid DB index": (Kind.UNAVAILABLE, "it has no database of that number: correct the url"),
    "DB index is out of range": (
        Kind.UNAVAILABLE,
        "it has no database of that number: correct the url",
    ),
    "unknown command": (
        Kind.UNAVAILABLE,
        "it does not know a command that this store needs; its README lists them: use a Redis or "
        "Valkey that is new enough, and rename no command",
    ),
    "Client sent AUTH, but no password is set": (
        Kind.UNAVAILABLE,
        "it has no password: omit the option password",
    ),
    "AUTH <password> called without any password configured": (
        Kind.UNAVAILABLE,
        "it has no password for the default user: omit password, or set username",
    ),
    "ACL failure in script": (Kind.DENIED, _DENIED),
    "The user executing the script can't": (Kind.DENIED, _DENIED),
}
# redis-py takes the code off these.
_CODES = (
    (of.AuthenticationWrongNumberOfArgsError, "WRONGPASS"),
    (of.NoPermissionError, "NOPERM"),
    (of.ReadOnlyError, "READONLY"),
    (of.MasterDownError, "MASTERDOWN"),
    (of.MovedError, "MOVED"),  # before AskError, which it is in redis-py
    (of.AskError, "ASK"),
    (of.TryAgainError, "TRYAGAIN"),
    (of.ClusterDownError, "CLUSTERDOWN"),
    (of.OutOfMemoryError, "OOM"),
    (of.BusyLoadingError, "LOADING"),
)
# At the start of the answer; within a script, servers before Redis 7 put where it happened first.
_code_in = re.compile(
    r"(?:ERR Error running script \(call to f_[0-9a-f]{40}\): @user_script:\d+: -?)?([A-Z]+)( |$)"
).match
_NO_PRIMARY = (
    redis.sentinel.MasterNotFoundError,
    redis.asyncio.sentinel.MasterNotFoundError,  # another class of the same name
)


def problem_of(error: Exception, options: Options) -> Problem | None:
    """What the error means; None: it is not of redis-py."""
    if isinstance(error, _NO_PRIMARY):
        text = (
            f"no Sentinel could be reached that knows a primary named {options.service_name!r}: "
            "check sentinels and service_name; during a failover, try again in a few seconds"
        )
        return Problem(Kind.BUSY, text)
    words = str(error).removeprefix("ERR ")
    for start, found in _BY_WORDS.items():
        if isinstance(error, redis.RedisError) and words.startswith(start):
            return Problem(*found)
    code = code_of(error)
    if code in _BY_CODE:
        return Problem(*_BY_CODE[code])
    # Asked before ConnectionError, which it is in redis-py.
    if isinstance(error, (of.AuthenticationError, of.AuthorizationError)):
        return Problem(Kind.UNAVAILABLE, _SIGN_IN)
    if tls := tls_problem(error):
        return tls
    if isinstance(error, of.InvalidResponse):
        text = "what responds there is not Redis: check host and port in the url"
        return Problem(Kind.UNAVAILABLE, text)
    if isinstance(error, of.RedisClusterException):
        text = "no node of a Cluster responds there: check url, and that it is a Cluster"
        return Problem(Kind.UNAVAILABLE, text)
    if isinstance(error, (redis.TimeoutError, TimeoutError)):
        text = (
            f"it did not respond in time ({options.timeout:g} s, {options.connect_timeout:g} s to "
            "connect): check that it is up, that no firewall is in between and, with rediss://, "
            "that it supports TLS"
        )
        return Problem(Kind.SILENT, text)
    if isinstance(error, (redis.ConnectionError, OSError)):
        # A server that is full closes a connection before its words can be read.
        why = _cause_of(error)
        text = f"it could not be reached{why and f' ({why})'}" + (
            ": check that it is up, that url, host and port are right, and that its maxclients are "
            "not used up"
        )
        return Problem(Kind.LOST, text)
    if isinstance(error, AttributeError) and options.cluster:
        # redis-py looks for a node that is not in its map yet, to which a slot is being moved.
        return Problem(*_BY_CODE["ASK"])
    if not isinstance(error, redis.RedisError):
        return None
    text = f"it returned the error {type(error).__name__}: see the server's log"
    return Problem(Kind.UNAVAILABLE, text)


def _cause_of(error: BaseException) -> str:
    """The system's words for what kept a connection from being made; "": they are not known.

    redis-py puts only some of them into its own text, and an address that may hold a password too.
    """
    found: BaseException | None = error
    for _ in range(10):  # more causes than redis-py's errors have; a circle must end
        if found is None:
            break
        if isinstance(found, socket.gaierror):
            return "the host name could not be resolved"
        if isinstance(found, OSError) and found.errno in errno.errorcode:
            return os.strerror(found.errno or 0)
        found = found.__cause__ or found.__context__
    return ""


def code_of(error: Exception) -> str | None:
    """The code of a server's answer, such as "READONLY"; of no other error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    found = _code_in(str(error)) if isinstance(error, redis.RedisError) else None
    return None if found is None else found.group(1)


def is_wrong_type(error: Exception) -> bool:
    """The key is of another type than the command is for."""
    return code_of(error) == "WRONGTYPE"

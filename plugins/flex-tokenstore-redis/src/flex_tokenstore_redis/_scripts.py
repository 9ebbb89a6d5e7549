"""The Lua scripts; each is one atomic step on the server."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Script(NamedTuple):
    """A script and the name under which the server keeps it."""

    text: str
    sha: str


def _script(text: str) -> Script:
    # EVALSHA names a script by its SHA-1; the flag lets an OpenSSL in FIPS mode compute it.
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


# What is stored, and its mark: the SHA-1 of its bytes, which are the dump of a key of another type
# than string; an empty mark: nothing is stored.
_FOUND = """
local kind = redis.call('TYPE', KEYS[1]).ok
local held = ''
if kind == 'string' then held = redis.call('GET', KEYS[1])
elseif kind ~= 'none' then held = redis.call('DUMP', KEYS[1]) end
local mark = ''
if kind ~= 'none' then mark = redis.sha1hex(held) end
"""

# One key: while a Cluster moves a slot, a script with two may find them on two nodes.
# KEYS: token. ARGV: mark that must be stored ("*": that of any token of this identity in format 1),
# new value (empty: none), the identity. Nothing when done; else the kind and the bytes of what is
# stored instead.
REPLACE = _script(
    """
local function is_ours(held)
  local ok, token = pcall(cjson.decode, held)
  local tag = ok and type(token) == 'table' and token.flex_tokenstore
  if type(tag) ~= 'table' or tag.identity ~= ARGV[3] then return false end
  return type(tag.format) ~= 'number' or tag.format <= 1
end
"""
    + _FOUND
    + """
if mark ~= ARGV[1] and not (ARGV[1] == '*' and kind == 'string' and is_ours(held)) then
  return {kind, held}
end
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('DEL', KEYS[1]) end
return false
"""
)

# KEYS: token, its new name. ARGV: mark that must be stored. As REPLACE.
ASIDE = _script(
    _FOUND
    + """
if mark ~= ARGV[1] then return {kind, held} end
redis.call('RENAME', KEYS[1], KEYS[2])
return false
"""
)

# KEYS: token. Writes in a way that changes nothing, so that a replica or a missing right shows.
PROVE = _script("""
local kind = redis.call('TYPE', KEYS[1]).ok
redis.call('SET', KEYS[1], '', kind == 'none' and 'XX' or 'NX')
return false
""")

# KEYS: lock, wake stream (may be missing). ARGV: the holder, lease in milliseconds. Nothing when it
# is acquired (also by an earlier try of this holder, whose answer was lost); else what to wait for:
# the last entry of the stream, and the milliseconds that the lock has left.
TAKE = _script("""
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
or redis.call('GET', KEYS[1]) == ARGV[1] then return false end
local left = redis.call('PTTL', KEYS[1])
if not KEYS[2] then return {'', left} end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {last[1] and last[1][1] or '0-0', left}
""")

# KEYS: lock, wake stream (may be missing). ARGV: the holder. All who wait on the stream are woken.
# A stream, not pub/sub: XREAD starts at the entry that TAKE saw, so no release is missed. It
# expires after 60,000 ms, so that an unused identity leaves nothing behind.
RELEASE = _script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('DEL', KEYS[1])
if KEYS[2] then
  redis.call('XADD', KEYS[2], 'MAXLEN', 1, '*', 'free', 1)
  redis.call('PEXPIRE', KEYS[2], 60000)
end
return false
""")

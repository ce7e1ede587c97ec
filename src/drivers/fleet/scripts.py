"""The Lua scripts of `RedisStore`. The server runs each as one step, so that nothing happens between its commands.

KEYS[1] is a hash: ``version`` of the content, ``value`` (missing if nothing is stored), ``fence`` of the newest lease,
and ``refusal``. KEYS[2] is the lease: the fence of its holder, with a time to live.

A version or fence is the time of the server in microseconds, or one more than the last one. So each is higher than all
before, even after a server has lost its data.
"""

from __future__ import annotations

from typing import Final

_NEXT: Final = """
local function next_after(old)
  local time = redis.call('TIME')
  return string.format('%.0f', math.max(time[1] * 1000000 + time[2], (tonumber(old) or 0) + 1))
end
"""

TAKE: Final = f"""{_NEXT}
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
local fence = next_after(redis.call('HGET', KEYS[1], 'fence'))
redis.call('HSET', KEYS[1], 'fence', fence)
redis.call('SET', KEYS[2], fence, 'PX', ARGV[1])
return fence
"""
"""ARGV: milliseconds. Returns the fence, or nil if another worker has the lease."""

RENEW: Final = """
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[1])
return 1
"""
"""ARGV: milliseconds, fence. Returns 1, or 0 if a newer lease was granted."""

RETURN: Final = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""
"""ARGV: fence."""

WRITE: Final = f"""{_NEXT}
local found = redis.call('HMGET', KEYS[1], 'version', 'fence')
if ARGV[2] ~= '' and found[2] ~= ARGV[2] then return 'stale' end
if (found[1] or '') ~= ARGV[1] then return 'changed' end
local version = next_after(found[1])
redis.call('HSET', KEYS[1], 'version', version)
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], 'value') else redis.call('HSET', KEYS[1], 'value', ARGV[3]) end
return version
"""
"""ARGV: the version that is replaced (empty for none), the fence (empty to write without a lease), the value (empty to
remove it). Returns the new version, ``stale`` or ``changed``."""

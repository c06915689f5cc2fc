import { createHash } from 'node:crypto';

/** A script on one key: a cluster needs to hold no two together. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

// `left` is what is left of a session in milliseconds: the key outlives every session that it leads to, and no more.
const LENGTHEN = `
local function lengthen(left)
  if redis.call('PTTL', KEYS[1]) < tonumber(left) then redis.call('PEXPIRE', KEYS[1], left) end
end`;

// A server whose memory is full refuses to store that a session is revoked. It is removed then, which needs none; so
// is what another program has put in its place.
const REVOKE = `
local function revoke(field, value, now)
  local version, revokedAt, rest = string.match(value, '^([^|]*)|([^|]*)(|.*)$')
  if rest and revokedAt ~= '' then return false end
  local reply = rest and redis.pcall('HSET', KEYS[1], field, version .. '|' .. now .. rest)
  if type(reply) ~= 'number' then redis.call('HDEL', KEYS[1], field) end
  return true
end`;

/**
 * ARGV: field, value, what is left, now. 0 when the field is there already. Each creation looks at twenty fields more
 * and removes those that have ended, so that they stay few however often somebody logs in.
 */
export const CREATE = script(`${LENGTHEN}
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
lengthen(ARGV[3])
local cursor = redis.call('HGET', KEYS[1], 'cursor') or '0'
local page = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', 20)
for i = 1, #page[2], 2 do
  local ends = string.match(page[2][i + 1], '^[^|]*|[^|]*|([^|]*)|')
  if ends and tonumber(ends) < tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], page[2][i]) end
end
if page[1] ~= cursor then redis.call('HSET', KEYS[1], 'cursor', page[1]) end
return 1`);

/** ARGV: what is left. Answers how many milliseconds it was before; -2 when there is no such key. */
export const EXTEND = script(`${LENGTHEN}
local had = redis.call('PTTL', KEYS[1])
if had ~= -2 then lengthen(ARGV[1]) end
return had`);

/** ARGV: field, the version that it must have, value, what is left. 1 when it was replaced. */
export const UPDATE = script(`${LENGTHEN}
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value then return 0 end
local version, revokedAt = string.match(value, '^([^|]*)|([^|]*)|')
if version ~= ARGV[2] or revokedAt ~= '' then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
lengthen(ARGV[4])
return 1`);

/** ARGV: field, now. 1 when this call has revoked it. */
export const REVOKE_ONE = script(`${REVOKE}
local value = redis.call('HGET', KEYS[1], ARGV[1])
if value and revoke(ARGV[1], value, ARGV[2]) then return 1 end
return 0`);

/** ARGV: now, the fields to leave as they are. */
export const REVOKE_ALL = script(`${REVOKE}
local kept = { cursor = true }
for i = 2, #ARGV do kept[ARGV[i]] = true end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if not kept[all[i]] then revoke(all[i], all[i + 1], ARGV[1]) end
end
return 1`);

/**
 * ARGV: points, end, now. Answers what the counter is then. Its end stays as it was given: Lua would write a time with
 * fourteen digits.
 */
export const ADD = script(`
local points, ends = string.match(redis.call('GET', KEYS[1]) or '', '^(-?%d+)|(.+)$')
if not points or tonumber(ends) <= tonumber(ARGV[3]) then points, ends = 0, ARGV[2] end
local value = string.format('%.0f', points + ARGV[1]) .. '|' .. ends
local left = math.min(math.ceil(tonumber(ends) - tonumber(ARGV[3])), ${Number.MAX_SAFE_INTEGER})
if left > 0 then redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', left))
else redis.call('DEL', KEYS[1]) end
return value`);

/** Fields and values in turn. A script, because hosts may give HGETALL another form, for all of their clients. */
export const LIST = script("return redis.call('HGETALL', KEYS[1])");

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

import { redisScript } from "./client.ts";

/**
 * Publishes, atomically: the server runs a script whole or, when it dies, not at all. Called without updates it looks after the
 * stream's life and tells where the stream ends.
 *
 * KEYS, of one hash slot: `state` of the stream, the `stream` itself, the last revision of customers published lately (`reached`)
 * and before that (`before`), and `marks`, which tell how far the stream was at times past.
 *
 * Updates are numbered without holes. An entry holds several and is called by the number of its last one, behind the epoch: so who
 * asks for what comes after a number gets the entry it lies in, and sees by the entry's count whether anything is missing before it.
 *
 * A server that was restarted, or that took over from another, may have lost the last writes. It is recognised by its run id, and begins
 * another `life` of the stream, noted with the number it begins at. Whoever calls says how far it knows the stream to have been: where less
 * than that is left, the stream begins anew under another epoch.
 *
 * A customer's revision is remembered for as long as the stream keeps it, and at most twice as long: once everything published before
 * `turned` is trimmed, `before` is dropped and `reached` takes its place.
 */
export const PUBLISH = redisScript(`
local state, stream, reached, before, marks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local proposal, now, keepCount, keepAge = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local knownEpoch, knownLife, knownSeq = ARGV[5], ARGV[6], tonumber(ARGV[7])
local perEntry, entryBytes = tonumber(ARGV[8]), tonumber(ARGV[9])
local FIRST = 10

local function text(number) return string.format('%.0f', number) end

local run = string.sub(string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 1, 8)
local was = redis.call('HMGET', state, 'epoch', 'tail', 'run', 'lives', 'cut', 'turned', 'marked')
local epoch, tail, lives = was[1], tonumber(was[2] or 0), was[4] or ''
local cut, turned, marked = tonumber(was[5] or 0), tonumber(was[6] or 0), tonumber(was[7] or 0)

local function isLost()
  if not epoch then return true end
  if tail > 0 and redis.call('EXISTS', reached) == 0 then return true end
  if knownEpoch == '' or knownEpoch < epoch then return false end
  if knownEpoch > epoch then return true end
  local held, isFound = tail, false
  for life, start in string.gmatch(lives, '([^:,]+):(%d+)') do
    if isFound then held = math.min(held, tonumber(start)) end
    isFound = isFound or life == knownLife
  end
  return not isFound or held < knownSeq
end

if isLost() then
  redis.call('DEL', state, stream, reached, before, marks)
  epoch, tail, lives, cut, turned, marked = proposal, 0, '', 0, 0, 0
  was[3] = false
end
if was[3] ~= run then
  local kept, count = {}, 0
  for life in string.gmatch(lives, '[^,]+') do
    kept[#kept + 1] = life
    count = tonumber(string.match(life, '^%d+'))
  end
  kept[#kept + 1] = text(count + 1) .. '-' .. run .. ':' .. text(tail)
  if #kept > 100 then table.remove(kept, 1) end
  lives = table.concat(kept, ',')
  redis.call('HSET', state, 'epoch', epoch, 'tail', text(tail), 'run', run, 'lives', lives)
end
local life = string.match(lives, '([^:,]+):%d+$')

local ids, revisions, known = {}, {}, {}
for at = FIRST, #ARGV, 3 do ids[#ids + 1] = ARGV[at] end
if #ids > 0 then
  local late, early = redis.call('HMGET', reached, unpack(ids)), redis.call('HMGET', before, unpack(ids))
  for at, id in ipairs(ids) do known[id] = tonumber(late[at] or early[at] or 0) end
end

local texts, bytes, old = {}, 0, tail
local function append()
  if #texts == 0 then return end
  redis.call('XADD', stream, epoch .. '-' .. text(tail),
    'life', life, 'ms', ARGV[2], 'count', #texts, 'updates', table.concat(texts, ','))
  texts, bytes = {}, 0
end
for at, id in ipairs(ids) do
  local place = FIRST + 3 * (at - 1)
  local revision, update = tonumber(ARGV[place + 1]), ARGV[place + 2]
  if revision > known[id] then
    if #texts == perEntry or (#texts > 0 and bytes + #update > entryBytes) then append() end
    known[id] = revision
    revisions[id] = ARGV[place + 1]
    tail = tail + 1
    texts[#texts + 1] = update
    bytes = bytes + #update
  end
end
append()

if tail > old then
  if old > 0 and cut >= turned then
    redis.call('UNLINK', before)
    redis.call('RENAME', reached, before)
    turned = old
  end
  local fields = {}
  for id, revision in pairs(revisions) do
    fields[#fields + 1] = id
    fields[#fields + 1] = revision
  end
  redis.call('HSET', reached, unpack(fields))
  if math.abs(now - marked) >= keepAge / 1000 then
    redis.call('RPUSH', marks, ARGV[2] .. ':' .. text(tail))
    marked = now
  end
  local keep = math.max(cut, tail - keepCount)
  for _ = 1, 100 do
    local ms, seq = string.match(redis.call('LINDEX', marks, 0) or '', '^(%d+):(%d+)$')
    if not ms or tonumber(ms) >= now - keepAge then break end
    keep = math.max(keep, tonumber(seq))
    redis.call('LPOP', marks)
  end
  if keep > cut then
    redis.call('XTRIM', stream, 'MINID', epoch .. '-' .. text(keep + 1))
    cut = keep
  end
  redis.call('HSET', state, 'tail', text(tail), 'cut', text(cut), 'turned', text(turned), 'marked', text(marked))
end
return { epoch, life, text(tail), lives }
`);

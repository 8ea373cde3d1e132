-- Adds a batch to the sums of its days, unless this process has told it before.
--
-- KEYS: the last number of the process, then the hash of each day.
-- ARGV: the batch's number; seconds to keep the process's number; seconds to keep a day; then for
-- each row the place of its day in KEYS, its field less the number's name, and the numbers.
-- Returns how many numbers could not be added to what others wrote there. It fails only where nothing
-- was added, and then forgets the batch: it can be told again. Errors in between must not end it, as
-- what a script has written before one is not undone.
local NAMES = {'calls', 'errors', 'request_messages', 'request_bytes', 'reply_messages', 'reply_bytes'}

local before = redis.call('GET', KEYS[1]) or '0'
if tonumber(ARGV[1]) <= tonumber(before) then
  return 0
end
for place = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[place]).ok
  if kind ~= 'hash' and kind ~= 'none' then
    return redis.error_reply('WRONGTYPE Operation against a key holding the wrong kind of value')
  end
end
local added, failed, failure = 0, 0, nil
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
for row = 4, #ARGV, 2 + #NAMES do
  local day = KEYS[tonumber(ARGV[row])]
  for place, name in ipairs(NAMES) do
    local number = ARGV[row + 1 + place]
    if number ~= '0' then
      local sum = redis.pcall('HINCRBY', day, name .. ' ' .. ARGV[row + 1], number)
      if type(sum) == 'table' then
        failed, failure = failed + 1, sum
      else
        added = added + 1
      end
    end
  end
end
if failure and added == 0 then
  redis.call('SET', KEYS[1], before, 'EX', ARGV[2])
  return failure
end
for place = 2, #KEYS do
  redis.call('EXPIRE', KEYS[place], ARGV[3])
end
return failed

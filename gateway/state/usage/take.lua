-- Adds a batch to the sums of its days, unless this process has told it before.
--
-- KEYS: the last number of the process, then the hash of each day.
-- ARGV: the batch's number; seconds to keep the process's number; seconds to keep a day; then for
-- each row the place of its day in KEYS, its field less the number's name, and the numbers.
local NAMES = {'calls', 'errors', 'request_messages', 'request_bytes', 'reply_messages', 'reply_bytes'}

if tonumber(ARGV[1]) <= tonumber(redis.call('GET', KEYS[1]) or '0') then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
for row = 4, #ARGV, 2 + #NAMES do
  local day = KEYS[tonumber(ARGV[row])]
  for place, name in ipairs(NAMES) do
    local number = ARGV[row + 1 + place]
    if number ~= '0' then
      redis.call('HINCRBY', day, name .. ' ' .. ARGV[row + 1], number)
    end
  end
end
for place = 2, #KEYS do
  redis.call('EXPIRE', KEYS[place], ARGV[3])
end
return 1

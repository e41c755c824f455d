-- Runs reading commands one after the other, so that all answers belong to the same moment.
--
-- MULTI does the same and costs less. But Redis refuses to queue any command in a transaction while its memory is full,
-- even reading commands. A script that only reads runs in that state too.
--
-- KEYS: the keys of all commands, in order. ARGV: for each command its name, the number of its keys, the number of
-- further words, then these words. Answers an array with one answer for each command.
local answers, key, at = {}, 0, 1
while at <= #ARGV do
  local words = {ARGV[at]}
  for _ = 1, tonumber(ARGV[at + 1]) do
    key = key + 1
    words[#words + 1] = KEYS[key]
  end
  local further = tonumber(ARGV[at + 2])
  for i = at + 3, at + 2 + further do words[#words + 1] = ARGV[i] end
  answers[#answers + 1] = redis.call(unpack(words))
  at = at + 3 + further
end
return answers

-- Runs reading commands one after the other, so that their answers are of one moment.
--
-- MULTI does the same and costs less, but Redis refuses to queue any command in a transaction while its memory is full,
-- reading ones too. A script that only reads is carried out then.
--
-- KEYS: the keys of all commands, in order. ARGV: for each command its name, number of keys, number of further words,
-- then these words. Answers an array with the answer of each.
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

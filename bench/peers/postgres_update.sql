-- Counts one view. pgbench accepts no exponent below 1.001.
\set rank random_zipfian(1, :articles, 1.001)
UPDATE views SET n = n + 1 WHERE article = '/news/2026/story-' || (10000000 - 1 + :rank);

-- The table of counts, with one row per article. All rows exist before the load begins.
CREATE TABLE views (article text PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO views SELECT '/news/2026/story-' || (10000000 + i), 0 FROM generate_series(0, :articles - 1) AS i;
VACUUM ANALYZE views;

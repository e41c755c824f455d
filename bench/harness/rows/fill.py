"""Fills a service with many articles."""

import load
from servers import SHARDS

# The average number of views of each article. With an even distribution, this leaves out only a few articles.
VIEWS_PER_ARTICLE = 8
BATCHES_PER_SECOND = 2_000
BATCH_VIEWS = 1_000
SHARE_MIN = 0.99
PASSES_MAX = 5


def fill(context, service, articles):
    """Records views of nearly all of `articles`. Returns when the store has them."""
    views = articles * VIEWS_PER_ARTICLE
    for seed in range(1, PASSES_MAX + 1):
        load.viewcount_load(context, "batches", service.address("grpc"), articles=articles, distribution="uniform",
                            seed=seed, pool_views=views, batch_views=BATCH_VIEWS, rate=BATCHES_PER_SECOND, in_flight=32,
                            warmup=0, seconds=views / BATCH_VIEWS / BATCHES_PER_SECOND)
        service.flush()
        # On a machine with other work, fewer views are sent in time.
        if articles_stored(service, SHARDS) >= SHARE_MIN * articles:
            return
    raise RuntimeError(f"of {articles:,} articles only {articles_stored(service, SHARDS):,} were viewed")


def articles_stored(service, shards):
    """Returns the number of articles in the store. The empty field is each shard's sum and does not count."""
    return sum(max(0, fields - 1) for fields in service.store.ask_many([("HLEN", key) for key in keys(shards)]))


def keys(shards):
    """Returns the keys of the counts of all time."""
    return [f"vc:{{{shard:02}}}:demo:all" for shard in range(shards)]

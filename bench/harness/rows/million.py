"""A service that knows 1,000,000 articles, for the rows that need one. Filling it takes a while."""

from rows import fill, memory, popular

ARTICLES = 1_000_000


def run(context):
    with context.service("million") as service:
        fill.fill(context, service, ARTICLES)
        context.progress("1,000,000 articles are in the store")
        return popular.rows(context, service) + memory.rows(context, service)

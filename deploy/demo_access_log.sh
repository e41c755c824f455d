#!/usr/bin/env bash
# Writes a generated access log (combined format) of the last 24 hours to standard output; `quickstart.sh --demo`
# imports it. It has about 200,000 lines, or the number in the argument.
#
# It has 2,000 articles, and the n-th most popular is read 1/n as often as the first. Traffic follows day and night.
# Some lines are not page views, and some are by robots. Addresses are reserved for documentation (RFC 5737, RFC 3849),
# so they belong to no person.
set -euo pipefail

# The output for one hour is equal on all machines: a fixed seed, UTC, English months.
TZ=UTC LC_ALL=C exec awk -v lines="${1:-200000}" -v now="$(date +%s)" '
  # Returns a rank between 1 and `articles`, by bisection in the cumulative weights.
  function zipf(    x, low, high, middle) {
    x = rand() * total[articles]
    low = 1
    high = articles
    while (low < high) {
      middle = int((low + high) / 2)
      if (total[middle] < x) low = middle + 1; else high = middle
    }
    return low
  }

  function address(    kind) {
    kind = int(rand() * 6)
    if (kind == 0) return "192.0.2." int(rand() * 256)
    if (kind == 1) return "198.51.100." int(rand() * 256)
    if (kind == 2) return "203.0.113." int(rand() * 256)
    return sprintf("2001:db8:%x::%x", int(rand() * 64), int(rand() * 512))
  }

  function line(time,    chance, target, status, agent) {
    chance = rand()
    status = 200
    if (chance < 0.85) target = path[zipf()]
    else if (chance < 0.90) { target = path[zipf()]; status = 304 }
    else if (chance < 0.97) target = "/static/style.css"
    else { target = "/wp-login.php"; status = 404 }
    agent = agents[int(rand() * agent_count) + 1]
    printf "%s - - [%s] \"GET %s HTTP/1.1\" %d %d \"-\" \"%s\"\n", address(),
           strftime("%d/%b/%Y:%H:%M:%S +0000", time), target, status, 500 + int(rand() * 60000), agent
  }

  BEGIN {
    srand(1)
    articles = 2000
    section_count = split("politics business world sport culture science", sections, " ")
    for (i = 1; i <= articles; ++i) {
      total[i] = total[i - 1] + 1 / i
      path[i] = "/" sections[i % section_count + 1] "/story-" (10000 + (i * 7919) % 89999)
    }
    agent_count = split("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0|" \
                        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36|" \
                        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148|" \
                        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36|" \
                        "Mozilla/5.0 (compatible; ExampleBot/1.0; +http://example.com/bot)", agents, "|")
    # Traffic is lowest at 4 in the morning and highest twelve hours later.
    minutes = 24 * 60
    start = now - minutes * 60
    for (i = 0; i < minutes; ++i) {
      hour = ((start + i * 60) % 86400) / 3600
      weight[i] = 1 - 0.8 * cos((hour - 4) / 24 * 6.283185307)
      weight_sum += weight[i]
    }
    for (i = 0; i < minutes; ++i) {
      due += lines * weight[i] / weight_sum
      count = int(due + 0.5) - written
      for (j = 0; j < count; ++j) line(start + i * 60 + int(60 * j / count))
      written += count
    }
  }'

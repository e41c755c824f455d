#!/usr/bin/env bash
# Measures the service, its limits and the systems that people use today. Installs what is missing, builds, runs.
#
#   bench/run.sh [--quick] [--json FILE] [--only REGEX] [--help]
#
#   --quick          shorter turns and fewer rounds: at most 5 minutes after the build, instead of about 25
#   --json FILE      also writes all rows there: a list of {name, value, unit, baseline, baseline_value, ratio}
#   --only REGEX     only the families of rows whose name matches: batches, calls, beacons, counts, million (popular
#                    lists and memory, of 1,000,000 articles), history (analysts' queries on many days), flush,
#                    curve, idle, overload
#
# A whole run (neither --quick nor --only) writes bench/RESULTS.md and bench/results/. Needs two idle cores and a real
# disk under build/. Starts its own servers on UNIX sockets or ports of 127.0.0.1, and ends them. The exit code is 0 if
# everything was measured, even if a target was missed.
set -euo pipefail
invoked_from=$PWD
cd "$(dirname "$0")/.."

usage() { sed -n '2,15s/^# \{0,1\}//p' "$0"; }

options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --quick) options+=(--quick) ;;
    --json) options+=(--json "$(cd "$invoked_from" && realpath -m -- "${2:?--json needs a FILE}")") && shift ;;
    --only) options+=(--only "${2:?--only needs a REGEX}") && shift ;;
    --help | -h) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done

[[ $(nproc) -ge 2 ]] || { echo "bench/run.sh: needs two cores, one for the server and one for its load" >&2; exit 1; }

echo "== Installing what is missing"
deploy/install_packages.sh deploy/packages.txt bench/packages.txt
# `npm ci` records what it installed. It runs again only if the lock file has changed since.
[[ bench/peers/node_modules/.package-lock.json -nt bench/peers/package-lock.json ]] ||
  (cd bench/peers && npm ci --omit=optional --no-audit --no-fund)

echo "== Building"
cmake --preset release -DVIEWCOUNT_TESTS=ON
cmake --build build/release --parallel "$(nproc)" --target viewcountd viewcount viewcount_load \
  limit_server peer_load history_load history_queries

echo "== Measuring"
# Debian's own interpreter is used, because it finds Debian's Python packages.
exec /usr/bin/python3 -B bench/harness/main.py --programs "$PWD/build/release/bin" \
  --data "$PWD/build/release/bench-data" "${options[@]}"

#!/usr/bin/env bash
# Follows the README on a Debian 12 on which nothing is installed: deploy/quickstart.sh, the first commands, Ctrl-C, and
# then tests/run.sh. Takes about 30 minutes. Needs root, debootstrap and 5 GB below ${TMPDIR:-/tmp}.
#
#   tests/fresh.sh [--quickstart-only]
#
# The empty system comes from the mirror that this machine's own apt uses. It is kept for a week as
# ${XDG_CACHE_HOME:-~/.cache}/viewcount/debian-12-ARCHITECTURE.tar.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly arrange=$PWD/tests/support/fresh_root.sh
readonly ready_seconds_max=1800
readonly build_seconds_max=300
readonly stop_seconds_max=60

say() { echo "-- $*"; }
fail() {
  echo "fresh.sh: $*" >&2
  exit 1
}

# Everything below runs as the first process of a PID and mount namespace. However it ends, the kernel then kills all
# processes that were started inside and removes the mounts.
if [[ ${1:-} != --isolated ]]; then
  [[ $EUID -eq 0 ]] || exec sudo --preserve-env=XDG_CACHE_HOME,TMPDIR "$0" "$@"
  command -v debootstrap >/dev/null || fail "debootstrap is missing; run: deploy/install_packages.sh tests/packages.txt"
  root=$(mktemp --directory --tmpdir viewcount-fresh.XXXXXX)
  # Removes files of one file system only. If a mount remains by mistake, its content stays untouched.
  trap 'rm -rf --one-file-system "$root"' EXIT
  "$arrange" "$root"
  # If unshare is killed, it kills the first process of the namespace, and that process' end kills all others. Job
  # control is enabled because without it background processes ignore Ctrl-C for ever, and this script tests Ctrl-C.
  set -m
  setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child -- \
    "$0" --isolated "$root" "${1:-}" </dev/null &
  isolated=$!
  trap 'kill -KILL "$isolated"; wait "$isolated" || true; exit 130' INT TERM HUP
  wait "$isolated" || fail "failed; the reason is above"
  exit 0
fi

readonly root=$2
readonly mode=$3
mount -t proc proc "$root/proc"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

# Runs a command inside the new system. It keeps only the variables of this machine's environment that are
# needed to reach the network.
inside() {
  local variables=()
  mapfile -t variables < <(env | grep -i -E '^(https?_proxy|no_proxy|npm_config_[a-z_]*)=' || true)
  chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin CI=true \
    NODE_EXTRA_CA_CERTS=/etc/viewcount-fresh-ca.pem "${variables[@]}" "$@"
}

viewcount() { inside /srv/checkout/build/release/bin/viewcount --server "$server" --site demo "$@"; }

# `expect TEXT COMMAND…` checks that the command's output contains the text. Several blanks count as one.
expect() {
  local text=$1 output
  shift
  output=$("$@") || fail "exit code $?: $*"
  tr -s ' ' <<<"$output" | grep --quiet --fixed-strings -- "$text" ||
    fail "expected \"$text\" from: $*"$'\n'"$output"
}

# Prints the names of processes that a quickstart may have left running.
leftovers() {
  cat /proc/[0-9]*/comm 2>/dev/null | grep -E '^(viewcount|redis-server|cmake|ninja|cc1plus|quickstart)' || true
}

quickstart() {
  local log=$root/quickstart.log pid begun=$SECONDS server
  # Job control gives the quickstart its own process group. A terminal sends Ctrl-C to a process group.
  set -m
  inside /srv/checkout/deploy/quickstart.sh --grpc-address 127.0.0.1:0 --http-address 127.0.0.1:0 \
    --backend-address 127.0.0.1:0 --admin-address 127.0.0.1:0 </dev/null >"$log" 2>&1 &
  pid=$!
  set +m
  until grep --quiet 'Ctrl-C stops it' "$log"; do
    kill -0 "$pid" 2>/dev/null || { tail -n 40 "$log" >&2 && fail "the quickstart ended; its output is above"; }
    ((SECONDS - begun < ready_seconds_max)) || { tail -n 40 "$log" >&2 && fail "not ready in $ready_seconds_max s"; }
    sleep 0.2
  done
  say "ready after $((SECONDS - begun)) s; $(sed -n 's/^== \(Built.*\)/\1/p' "$log")"
  [[ $(sed -n 's/^== Built in \([0-9]*\) s$/\1/p' "$log") -lt $build_seconds_max ]] ||
    say "NOTE: the build took longer than $build_seconds_max s"

  server=$(sed -n 's/^ *gRPC *//p' "$log")
  expect "3 views recorded" viewcount record /news/first --count 3
  expect "1 view recorded" viewcount record /news/second
  expect " 3 0 0 /news/first" viewcount count /news/first /news/second
  expect " 1 0 0 /news/second" viewcount count /news/first /news/second
  # The new articles come after the 20 articles of the portal.
  expect " 1 7,352 /tin/canh-bao-lua-dao.html" viewcount top
  expect " 21 3 /news/first" viewcount top --limit 22
  expect " 22 1 /news/second" viewcount top --limit 22
  say "record, count and top answer rightly"

  local status=0
  kill -INT -- "-$pid"
  begun=$SECONDS
  while kill -0 "$pid" 2>/dev/null; do
    ((SECONDS - begun < stop_seconds_max)) || { tail -n 40 "$log" >&2 && fail "Ctrl-C did not end it"; }
    sleep 0.1
  done
  wait "$pid" || status=$?
  [[ $status -eq 0 ]] || { tail -n 40 "$log" >&2 && fail "Ctrl-C ended it with exit code $status"; }
  [[ -z $(leftovers) ]] || fail "Ctrl-C left processes behind: $(leftovers)"
  say "Ctrl-C ended everything"
}

mount -t proc proc /proc
say "deploy/quickstart.sh on an empty Debian 12"
quickstart
if [[ $mode != --quickstart-only ]]; then
  say "tests/run.sh on it"
  inside /srv/checkout/tests/run.sh </dev/null || fail "tests/run.sh failed"
fi
say "all well"

#!/usr/bin/env bash
# Takes a bare Debian 12 to a running viewcount. It installs missing packages, builds, and starts the service with its
# own Redis and a site named "demo". It also serves that site's portal (client/examples/portal). It runs until Ctrl-C.
#
#   deploy/quickstart.sh [--demo] [FLAG…]
#
#   --demo   also sends a generated day of traffic (deploy/demo_access_log.sh)
#   FLAG     goes to viewcountd, such as --grpc-address 127.0.0.1:7401; see viewcountd --help
#
# The data is in $VIEWCOUNT_DATA_DIR, or else $XDG_STATE_HOME/viewcount, or else ~/.local/state/viewcount. The script
# needs root (by sudo) only if packages are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly programs=$PWD/build/release/bin
readonly portal=$PWD/build/portal
# The site's views before it used this service. The views of its articles are in start_views.txt.
readonly site_start=37456821
readonly start_seconds_max=120
readonly stop_seconds_max=60

demo=false
flags=()
data_dir=${VIEWCOUNT_DATA_DIR:-${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/viewcount}
# The process of the running step, which leads its session, and the process of the service. Empty if there is none.
step=
service=

say() { echo "== $*"; }

fail() {
  echo "quickstart.sh: $*" >&2
  stop_all
  exit 1
}

parse() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --demo) demo=true ;;
      --help | -h)
        sed -n '2,11s/^# \{0,1\}//p' "$0"
        exit
        ;;
      --data-dir=*) data_dir=${1#*=} ;;
      --data-dir) data_dir=${2:?--data-dir needs a directory} && shift ;;
      *) flags+=("$1") ;;
    esac
    shift
  done
}

is_running() { kill -0 "$1" 2>/dev/null; }

# Runs a command in a session of its own. So Ctrl-C reaches only this script, which ends its processes in the right
# order.
run_step() {
  setsid "$@" &
  step=$!
  local status=0
  wait "$step" || status=$?
  step=
  return "$status"
}

# Ends the running processes, the service by its own drain, and returns when all have ended.
stop_all() {
  trap '' INT TERM HUP
  if [[ -n $step ]]; then
    kill -TERM -- "-$step" 2>/dev/null || true
    wait "$step" 2>/dev/null || true
    step=
  fi
  [[ -n $service ]] || return 0
  local status=0 deadline=$((SECONDS + stop_seconds_max))
  kill -TERM "$service" 2>/dev/null || true
  while is_running "$service"; do
    if ((SECONDS >= deadline)); then
      echo "quickstart.sh: viewcountd did not end within $stop_seconds_max s; killing it" >&2
      kill -KILL "$service" 2>/dev/null || true
    fi
    sleep 0.05
  done
  wait "$service" || status=$?
  service=
  return "$status"
}

# shellcheck disable=SC2317  # called by trap
on_signal() {
  echo
  # An interrupt before the service started is not a requested stop.
  local status=130
  if [[ -n $service ]]; then
    say "Stopping: what was taken is being counted"
    status=0
  fi
  stop_all || status=$?
  say "Stopped"
  exit "$status"
}

build() {
  local begun=$SECONDS
  say "Building viewcountd and viewcount; the first time takes a few minutes"
  run_step cmake --preset release --log-level=WARNING || fail "cmake failed; the reason is above"
  run_step cmake --build build/release --parallel "$(nproc)" --target viewcountd viewcount ||
    fail "the build failed; the reason is above. If the compiler was killed, there was too little memory: close something and run this again"
  say "Built in $((SECONDS - begun)) s"
  run_step client/examples/portal/build.sh "$portal" || fail "the portal cannot be built; the reason is above"
}

# Prints the address NAME at which the service listens: `address NAME`. The service writes the file when it is ready.
address() { sed -n "s/^$1=//p" "$data_dir/addresses"; }

# Requests /readyz with bash alone, because curl may be missing.
is_ready() {
  local host port status_line
  host=$(address admin)
  port=${host##*:}
  host=${host%:*}
  host=${host#[}
  host=${host%]}
  {
    exec 3<>"/dev/tcp/$host/$port" || return 1
  } 2>/dev/null
  printf 'GET /readyz HTTP/1.0\r\nHost: viewcount\r\n\r\n' >&3
  IFS= read -r -t 5 status_line <&3 || status_line=
  exec 3>&-
  [[ $status_line == *" 200"* ]]
}

start() {
  say "Starting viewcountd; its data is in $data_dir"
  mkdir -p "$data_dir" || fail "cannot make $data_dir; choose another with VIEWCOUNT_DATA_DIR=DIRECTORY"
  local marker deadline=$((SECONDS + start_seconds_max))
  marker=$(mktemp)
  # The session is separate for the reason given at run_step. If this script is killed, the service drains as well.
  setsid setpriv --pdeathsig TERM "$programs/viewcountd" --data-dir "$data_dir" --redis embedded --site demo \
    --demo-dir "$portal" "${flags[@]}" &
  service=$!
  until [[ $data_dir/addresses -nt $marker ]] && is_ready; do
    if ! is_running "$service"; then
      wait "$service" || true
      service=
      rm -f "$marker"
      fail "viewcountd ended; the reason is above. If an address is in use, give another, e.g. --grpc-address 127.0.0.1:0"
    fi
    ((SECONDS < deadline)) || fail "viewcountd is not ready after $start_seconds_max s; its log is above"
    sleep 0.1
  done
  rm -f "$marker"
}

# Announces the portal's articles, as the portal's own software would. A change of their texts arrives at the next start.
announce() {
  run_step client/examples/portal/announce.sh "$programs/viewcount" --server "$(address grpc)" --site demo ||
    fail "cannot announce the articles of the portal; the reason is above"
}

# Gives the portal its start values, at the first start only. Later adjustments by users stay.
set_start_views() {
  local article views why="a made-up number of the portal's former counter"
  local viewcount=("$programs/viewcount" --server "$(address grpc)" --site demo) adjustments
  adjustments=$("${viewcount[@]}" adjustments --limit 1) || fail "cannot ask for adjustments; the reason is above"
  [[ $adjustments == "no adjustments yet" ]] || return 0
  # The portal's days begin at its own midnight.
  run_step "${viewcount[@]}" site put demo --time-zone Asia/Ho_Chi_Minh >/dev/null ||
    fail "cannot set the time zone of the site; the reason is above"
  while read -r article views; do
    [[ $article == /* ]] || continue
    run_step "${viewcount[@]}" set "$article" "$views" --why "$why" >/dev/null ||
      fail "cannot set the views of $article; the reason is above"
  done <client/examples/portal/start_views.txt
  # The site's total is set last, since it contains the views of the articles.
  run_step "${viewcount[@]}" set --site-total "$site_start" --why "$why" >/dev/null ||
    fail "cannot set the views of the site; the reason is above"
}

send_demo() {
  say "Sending a made-up day of traffic"
  # shellcheck disable=SC2016
  run_step bash -c 'set -o pipefail; "$0" | "$1" --server "$2" --site demo import access-log -' \
    deploy/demo_access_log.sh "$programs/viewcount" "$(address grpc)" || fail "the import failed; the reason is above"
  # The articles of the portal have a part of that day, so that its lists of the day and of the week are full.
  local article views
  while read -r article views; do
    [[ $article == /* ]] || continue
    run_step "$programs/viewcount" --server "$(address grpc)" --site demo record --count $((views / 40 + 1)) "$article" \
      >/dev/null || fail "cannot record views of $article; the reason is above"
  done <client/examples/portal/start_views.txt
}

show() {
  local grpc http backend command=$programs/viewcount
  grpc=$(address grpc)
  http=$(address http)
  backend=$(address backend)
  [[ $grpc == 127.0.0.1:7400 ]] || command+=" --server $grpc"
  command+=" --site demo"
  cat <<TEXT

viewcount is ready.
  portal    http://$http/demo/
  gRPC      $grpc
  HTTP      http://$http
  backends  ${backend:+http://}${backend:-none}
  metrics   http://$(address admin)/metrics
  data      $data_dir

Try in another terminal:
  $command record /hello
  $command count /hello
  $command top

Ctrl-C stops it; its data stays.
TEXT
}

parse "$@"
# This step has no session of its own, because sudo may ask for a password, and apt must not be interrupted half-way.
deploy/install_packages.sh deploy/packages.txt ||
  { echo "quickstart.sh: packages are missing; the reason is above" >&2 && exit 1; }
trap on_signal INT TERM HUP
build
start
announce
set_start_views
if [[ $demo == true ]]; then send_demo; fi
show
status=0
wait "$service" || status=$?
service=
echo "quickstart.sh: viewcountd ended by itself with exit code $status; the reason is above" >&2
exit 1

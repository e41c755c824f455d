#!/usr/bin/env bash
# Checks that everything works: installs what is missing, builds everything, runs every test.
#
#   tests/run.sh [--quick] [--full] [--filter REGEX] [--help]
#
#   --quick          only the release build and its tests, without sanitizers and fuzzers
#   --full           also the long tests (ctest's label `full`), which build and start the service on an empty
#                    Debian 12; about 30 minutes more
#   --filter REGEX   only tests whose name matches
#
# The stages run in this order. The release build comes first, with all its tests. Then the address and
# undefined-behaviour sanitizers test the libraries on a view's path and real clients, and each fuzzer runs for
# 20 seconds. Finally the thread sanitizer tests the libraries with threads. Each stage is built while the one before is
# tested, with what its tests leave of the processors.
#
# Names failures last, with the lines that say why; the last line is "N passed, N failed". Exit code 0 only if a test ran
# and all passed.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,18s/^# \{0,1\}//p' "$0"; }

stages=(release asan tsan)
long_tests=(--label-exclude '^full$')
selection=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --quick) stages=(release) ;;
    --full) long_tests=() ;;
    --filter) selection+=(--tests-regex "${2:?--filter needs a REGEX}") && shift ;;
    --help | -h) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done

passed=0
failures=()

# Prints the lines of each stage's log that state a failure. The whole output of a failed test is long, and the end of a
# run should show the cause.
reasons() {
  local stage log
  for stage in "${stages[@]}"; do
    log=build/$stage/tests.log
    [[ ! -e $log ]] || grep --extended-regexp --after-context=5 \
      ': Failure$|^\[  FAILED  \] .*ms\)$|==ERROR: |^WARNING: ThreadSanitizer|runtime error: |^SUMMARY: |^[A-Za-z]*Error: |not ok ' \
      "$log" | cut --characters=1-200 | head -n 60 || true
  done
}

# Ends the run: prints the failures, then the line that is always last.
finish() {
  if [[ ${#failures[@]} -gt 0 ]]; then
    echo "== Failed"
    reasons
    printf '%s\n' "${failures[@]}"
  fi
  echo "$passed passed, ${#failures[@]} failed"
  [[ $passed -gt 0 && ${#failures[@]} -eq 0 ]]
  exit
}

install() {
  deploy/install_packages.sh deploy/packages.txt tests/packages.txt || return
  local folder
  for folder in tests client/examples/node; do
    # `npm ci` records what it installed. It runs again only if the lock file has changed since.
    [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] ||
      (cd "$folder" && npm ci --no-audit --no-fund) || return
  done
}

# Builds what a stage needs: everything for the release, and only its own tests for another stage.
build() {
  local stage=$1 options=() targets=()
  case $stage in
    release)
      # A filter names single tests, which the other stages do not have.
      local elsewhere=OFF
      [[ ${#stages[@]} -eq 1 || ${#selection[@]} -gt 0 ]] || elsewhere=ON
      options=(-DVIEWCOUNT_TESTS=ON -DVIEWCOUNT_SANITIZED_ELSEWHERE=$elsewhere)
      # The benchmarks only have to compile.
      [[ ${#long_tests[@]} -gt 0 ]] || targets=(--target all benchmarks)
      ;;
    asan) targets=(--target sanitized_tests fuzzers) ;;
    *) targets=(--target sanitized_tests) ;;
  esac
  cmake --preset "$stage" "${options[@]}" && cmake --build "build/$stage" --parallel "$(nproc)" "${targets[@]}"
}

# Begins to build a stage while the one before is tested, because tests wait a fifth of their time. The scheduler gives
# this build only what the tests leave, so tests that measure time are not disturbed.
build_ahead() {
  ahead=$1
  mkdir -p "build/$ahead"
  # With job control the build is a process group, which can be ended as a whole.
  set -m
  (chrt --idle --pid 0 "$BASHPID" || true; build "$ahead") >"build/$ahead/build.log" 2>&1 </dev/null &
  ahead_pid=$!
  set +m
}

# Waits for the build that was begun ahead. Prints its output if it failed.
finish_build() {
  local result=0
  wait "$ahead_pid" || result=$?
  [[ $result -eq 0 ]] || cat "build/$ahead/build.log"
  ahead=
  return "$result"
}

# Prints the result of each test in ctest's results file, as `status name`.
outcomes() {
  sed -n 's/^[[:space:]]*<testcase name="\([^"]*\)".* status="\([a-z]*\)".*/\2 \1/p' "$1" |
    sed -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&quot;/"/g' -e 's/&amp;/\&/g'
}

# Runs a stage's tests and adds their results to `passed` and `failures`.
run_tests() {
  local stage=$1 prefix=$2 results=$PWD/build/$1/tests.xml log=build/$1/tests.log labels status name
  case $stage in
    release) labels=("${long_tests[@]}") ;;
    asan) labels=(--label-regex '^(sanitized|fuzz)$') ;;
    *) labels=(--label-regex '^sanitized$') ;;
  esac
  rm -f "$results"
  # The number does not depend on the machine, because tests that measure time were tuned for it
  # (viewcount_place_tests in cmake/modules.cmake). The "Start" lines are removed because they only repeat the names.
  ctest --test-dir "build/$stage" --parallel 4 --output-on-failure --output-junit "$results" \
    "${labels[@]}" "${selection[@]}" </dev/null 2>&1 | tee "$log" | grep --line-buffered --invert-match '^ *Start ' || true
  if ! grep --quiet '<testcase ' "$results" 2>/dev/null; then
    # A stage without tests proves nothing, so it fails, unless a filter excluded its tests.
    [[ ${#selection[@]} -gt 0 ]] || failures+=("${prefix}no test was run; see $log")
    return
  fi
  # A test that was skipped or disabled proves nothing either.
  while read -r status name; do
    case $status in
      run) passed=$((passed + 1)) ;;
      fail) failures+=("$prefix$name") ;;
      *) failures+=("$prefix$name (not run)") ;;
    esac
  done < <(outcomes "$results")
}

echo "== Installing what is missing"
install || { failures+=("installing; the reason is above") && finish; }

ahead=
trap '[[ -z $ahead ]] || kill -- "-$ahead_pid" 2>/dev/null || true' EXIT
for i in "${!stages[@]}"; do
  stage=${stages[i]}
  next=${stages[i + 1]-}
  prefix="$stage: "
  [[ $stage != release ]] || prefix=""
  begun=$SECONDS
  echo "== Building ($stage)"
  if [[ $ahead == "$stage" ]]; then step=finish_build; else step=build; fi
  if ! "$step" "$stage"; then
    failures+=("${prefix}the build; the reason is above")
    # The other stages would fail for the same reason and hide it.
    [[ $stage != release ]] || break
    continue
  fi
  built=$SECONDS
  [[ -z $next ]] || build_ahead "$next"
  echo "== Testing ($stage; all output: build/$stage/tests.log)"
  run_tests "$stage" "$prefix"
  echo "== $stage: built in $((built - begun)) s, tested in $((SECONDS - built)) s"
done
finish

#!/usr/bin/env bash
# Says whether all is well: installs what is missing, builds everything, runs every test.
#
#   tests/run.sh [--full] [--filter REGEX] [--help]
#
#   --full           also the long tests (ctest's label `full`), which build and start the service on an empty
#                    Debian 12; some 20 minutes more
#   --filter REGEX   only tests whose name matches
#
# What failed is named last; the last line is "N passed, N failed". Exit code 0 only if something ran and all passed.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly build=build/release
readonly log=$build/tests.log
readonly results=$build/tests.xml

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }

# Ends the run before any test could tell: the reason, then the line that is always last.
stop() {
  echo "tests/run.sh: $*" >&2
  echo "0 passed, 0 failed"
  exit 1
}

long_tests=(--label-exclude '^full$')
selection=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --full) long_tests=() ;;
    --filter) selection+=(--tests-regex "${2:?--filter needs a REGEX}") && shift ;;
    --help | -h) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done

install() {
  deploy/install_packages.sh deploy/packages.txt tests/packages.txt || return
  # `npm ci` notes what it installed; it is done again only when the lock file has changed since.
  [[ tests/node_modules/.package-lock.json -nt tests/package-lock.json ]] || (cd tests && npm ci --no-audit --no-fund)
}

# Prints names with what became of them, as `status name`, from ctest's results.
outcomes() {
  sed -n 's/^[[:space:]]*<testcase name="\([^"]*\)".* status="\([a-z]*\)".*/\2 \1/p' "$results" |
    sed -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&quot;/"/g' -e 's/&amp;/\&/g'
}

echo "== Installing what is missing"
install || stop "installing failed; the reason is above"

echo "== Building"
cmake --preset release -DVIEWCOUNT_TESTS=ON || stop "configuring failed; the reason is above"
cmake --build "$build" --parallel "$(nproc)" || stop "the build failed; the reason is above"

echo "== Testing (all output: $log)"
rm -f "$results"
# Two at once on every machine: tests that measure time were tuned so. "Start" lines only repeat the names.
ctest --test-dir "$build" --parallel 2 --output-on-failure --no-tests=error --output-junit "$PWD/$results" \
  "${long_tests[@]}" "${selection[@]}" </dev/null 2>&1 | tee "$log" | grep --line-buffered --invert-match '^ *Start ' || true
[[ -s $results ]] || stop "ctest ended without results; see above"

# A test that was skipped or disabled has proven nothing, so it counts as failed.
passed=$(outcomes | grep --count '^run ' || true)
failed=$(outcomes | grep --count --invert-match '^run ' || true)
if [[ $failed -gt 0 ]]; then
  echo "== Failed"
  outcomes | sed -n -e '/^run /d' -e 's/^fail //' -e 's/^\(notrun\|disabled\) \(.*\)/\2 (not run)/' -e p
fi
echo "$passed passed, $failed failed"
[[ $passed -gt 0 && $failed -eq 0 ]]

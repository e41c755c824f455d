#!/usr/bin/env bash
# Lets one fuzzer search for an input that breaks a promise. Fails with the input's path and the command that repeats
# the failure.
#
#   tests/fuzz/fuzz.sh NAME SECONDS BUILD_DIR
#
# Inputs that reach new code are kept in BUILD_DIR/fuzz/NAME/learned, and failing inputs in found/ next to it. The
# output is in log. Every run begins with both folders and with tests/fuzz/corpus/NAME, which keeps the inputs of fixed
# bugs.
set -euo pipefail

readonly name=$1 seconds=$2 build=$3
readonly corpus=$(dirname "$0")/corpus/$name
readonly program=$build/bin/fuzz_$name
readonly work=$build/fuzz/$name
readonly log=$work/log

mkdir -p "$work/learned" "$work/found"
# Inputs of 4 KiB reach all code, because gzip can expand them to long lines. Longer inputs only cost time.
status=0
"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
  -artifact_prefix="$work/found/" "$work/learned" "$work/found" "$corpus" </dev/null >"$log" 2>&1 || status=$?
if [[ $status -eq 0 ]]; then
  echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, log in $log"
  exit 0
fi
echo "$name: broken with exit code $status; all output: $log"
grep -E 'check failed|ERROR: |runtime error|SUMMARY: ' "$log" || tail -n 20 "$log"
input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
if [[ -n $input ]]; then
  echo "input:  $input"
  echo "repeat: $program $input"
  echo "keep:   cp $input tests/fuzz/corpus/$name/ (once it is fixed)"
fi
exit 1

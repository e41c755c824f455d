#!/usr/bin/env bash
# Checks the form of the code: clang-format for every .h and .cc of the repository, the language of comments and
# documents (prose.py), and the folders' dependencies (includes.py). With --tidy it also runs clang-tidy.
#
#   tests/style.sh          # changes nothing and shows the differences
#   tests/style.sh --fix    # formats in place
#   tests/style.sh --tidy   # also analyses what build/release/compile_commands.json lists (minutes)
set -euo pipefail
cd "$(dirname "$0")/.."

require() {
  command -v "$1" >/dev/null && return
  echo "style.sh: $1 is missing; run: deploy/install_packages.sh tests/packages.txt" >&2
  exit 1
}

mode=${1:-}
case $mode in
  "" | --fix | --tidy) ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
require git
require clang-format

# New files are included before their first commit. Deleted files are excluded.
mapfile -t files < <(git -c safe.directory='*' ls-files --cached --others --exclude-standard -- '*.h' '*.cc' |
  while read -r file; do [[ ! -e $file ]] || echo "$file"; done)
[[ ${#files[@]} -gt 0 ]] || { echo "style.sh: found no source files; is this a git checkout?" >&2; exit 1; }

if [[ $mode == --fix ]]; then
  clang-format -i "${files[@]}"
  exit
fi
if ! clang-format --dry-run -Werror "${files[@]}"; then
  echo "style.sh: run tests/style.sh --fix" >&2
  exit 1
fi
echo "clang-format: ${#files[@]} files in order"
tests/prose.py
tests/includes.py

if [[ $mode == --tidy ]]; then
  require clang-tidy
  readonly database=build/release/compile_commands.json
  [[ -e $database ]] || { echo "style.sh: no $database; run tests/run.sh first" >&2; exit 1; }
  # Generated code is excluded, and clang does not know every option of GCC.
  mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cc$' | while read -r file; do
    ! grep --quiet --fixed-strings "\"file\": \"$PWD/$file\"" "$database" || echo "$file"
  done)
  printf '%s\0' "${sources[@]}" | xargs --null --max-args=1 --max-procs="$(nproc)" \
    clang-tidy --quiet -p "$(dirname "$database")" --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-unused-command-line-argument
  echo "clang-tidy: ${#sources[@]} files in order"
fi

#!/usr/bin/env bash
# Checks the form of the code: clang-format for every .h and .cc of the repository, and that every mutex is one of
# service/base/mutex.h. Checks the language of comments and documents (prose.py), the folders' dependencies
# (includes.py), and the documents' links (links.py). tests/tidy.py runs clang-tidy.
#
#   tests/style.sh          # changes nothing and shows the differences
#   tests/style.sh --fix    # formats in place
set -euo pipefail
cd "$(dirname "$0")/.."

require() {
  command -v "$1" >/dev/null && return
  echo "style.sh: $1 is missing; run: deploy/install_packages.sh tests/packages.txt" >&2
  exit 1
}

mode=${1:-}
case $mode in
  "" | --fix) ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
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
# Clang's thread safety analysis, which the sanitized builds have, knows no mutex of the standard library.
if git -c safe.directory='*' grep --untracked -nE '^([^/]|/[^/])*\bstd::([a-z_]*mutex \w|lock_guard|scoped_lock|shared_lock)' -- \
  service client ':!service/base/mutex.h' ':!client/examples'; then
  echo "style.sh: use Mutex and MutexLock of service/base/mutex.h" >&2
  exit 1
fi
tests/prose.py
tests/includes.py
tests/links.py

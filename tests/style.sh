#!/usr/bin/env bash
# Checks the form of the code: clang-format for every .h and .cc of the repository, the language of comments and
# documents (prose.py), the folders' dependencies (includes.py), and the documents' links (links.py). With --tidy it
# also runs clang-tidy.
#
#   tests/style.sh          # changes nothing and shows the differences
#   tests/style.sh --fix    # formats in place
#   tests/style.sh --tidy [FILE.cc…]   # also analyses these files; without FILE all of them, which takes an hour
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
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
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
tests/links.py

if [[ $mode == --tidy ]]; then
  require clang-tidy
  [[ -e build/release/compile_commands.json ]] || { echo "style.sh: no release build; run tests/run.sh first" >&2; exit 1; }
  # The release build compiles several sources at a time. This list has each for itself, with the same generated headers.
  readonly database=build/tidy/commands/compile_commands.json
  cmake --preset release -B build/tidy -DCMAKE_UNITY_BUILD=OFF -DVIEWCOUNT_TESTS=ON >/dev/null
  mkdir -p build/tidy/commands
  sed "s#$PWD/build/tidy#$PWD/build/release#g" build/tidy/compile_commands.json >"$database"
  # Generated code is excluded, and clang does not know every option of GCC.
  [[ $# -le 1 ]] || files=("${@:2}")
  mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cc$' | while read -r file; do
    ! grep --quiet --fixed-strings "\"file\": \"$PWD/$file\"" "$database" || echo "$file"
  done)
  printf '%s\0' "${sources[@]}" | xargs --null --max-args=1 --max-procs="$(nproc)" \
    clang-tidy --quiet -p "$(dirname "$database")" --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-unused-command-line-argument
  echo "clang-tidy: ${#sources[@]} files in order"
fi

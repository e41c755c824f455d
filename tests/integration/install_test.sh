#!/bin/bash
# Installs the client library. Then builds and runs a program that uses nothing but the installed package.
#
# Usage: install_test.sh BUILD_DIR SOURCE_DIR [CXX_FLAGS]
set -euo pipefail
build=$1 source=$2 flags=${3:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --component client --prefix "$folder/prefix" >/dev/null
# An installed file that names folders of this machine would not work on another machine. Only the start of a path is
# compared, because the checkout may be called /viewcount, like installed folders.
if grep -rIlE "(^|[^[:alnum:]_./}-])($source|$(realpath "$build"))/" "$folder/prefix"; then
  echo "the files above name the source or build folder" >&2
  exit 1
fi
# The installed files are moved, as packages are.
mv "$folder/prefix" "$folder/moved"
cmake -G Ninja -S "$source/tests/integration/consumer" -B "$folder/build" -DCMAKE_PREFIX_PATH="$folder/moved" \
  -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_EXE_LINKER_FLAGS="$flags" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
cmake --build "$folder/build" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
"$folder/build/consumer"

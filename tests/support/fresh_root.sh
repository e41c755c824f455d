#!/usr/bin/env bash
# Makes an empty Debian 12 in the directory given, with a copy of this checkout in /viewcount: for tests/fresh.sh.
#
# Needs root. The copy holds what git tracks and what it would track. How this machine reaches its package registries
# (sources, proxies, certificates, npm's settings) is copied too, and nothing else of it.
set -euo pipefail
readonly root=$1
cd "$(dirname "$0")/../.."

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/viewcount
tarball=$cache/debian-12-$(dpkg --print-architecture).tar
readonly cache tarball
readonly days_kept=7

# Where this machine's apt gets Debian 12 from; Debian's own address if it is another system.
mirror() {
  local found
  # shellcheck disable=SC2016  # apt's own variable
  found=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' 'Created-By: Packages' |
    head -n 1)
  echo "${found:-http://deb.debian.org/debian}"
}

bootstrap() {
  local made
  made=$(mktemp --directory --tmpdir viewcount-bootstrap.XXXXXX)
  # debootstrap asks the environment for a proxy, not apt.
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [[ -z $proxy ]] || export http_proxy=$proxy
  debootstrap --variant=minbase bookworm "$made" "$(mirror)" >"$cache/debootstrap.log" 2>&1 ||
    { tail -n 20 "$cache/debootstrap.log" >&2 && rm -rf --one-file-system "$made" && exit 1; }
  rm -f "$made"/var/cache/apt/archives/*.deb
  tar --create --file "$tarball.new" --numeric-owner --xattrs --directory "$made" .
  mv "$tarball.new" "$tarball"
  rm -rf --one-file-system "$made"
}

copy_if_present() {
  local path
  for path in "$@"; do
    [[ -e $path ]] || continue
    mkdir -p "$root$(dirname "$path")"
    cp --archive --dereference "$path" "$root$(dirname "$path")/"
  done
}

copy_network_settings() {
  copy_if_present /etc/hosts /etc/resolv.conf /usr/local/share/ca-certificates
  # Certificates as they are here, until and beside what the package ca-certificates will make.
  copy_if_present /etc/ssl/certs/ca-certificates.crt
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/viewcount-fresh-ca.pem" 2>/dev/null ||
    touch "$root/etc/viewcount-fresh-ca.pem"
  copy_if_present "${HOME:-/root}/.npmrc"
  [[ ! -e $root${HOME:-/root}/.npmrc || ${HOME:-/root} == /root ]] || mv "$root$HOME/.npmrc" "$root/root/"
  # Another Debian's sources would bring another Debian.
  [[ $(. /etc/os-release && echo "${VERSION_CODENAME:-}") == bookworm ]] || return 0
  rm -f "$root/etc/apt/sources.list"
  copy_if_present /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/auth.conf.d \
    /etc/apt/keyrings /etc/apt/trusted.gpg.d /usr/share/keyrings
}

copy_checkout() {
  mkdir "$root/srv/checkout"
  git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
    tar --create --null --files-from - | tar --extract --directory "$root/srv/checkout" --no-same-owner
  # A repository of its own: tests/style.sh asks git for the files.
  git -C "$root/srv/checkout" init --quiet
  git -C "$root/srv/checkout" add --all
}

mkdir -p "$cache"
[[ -n $(find "$tarball" -mtime "-$days_kept" 2>/dev/null) ]] || bootstrap
tar --extract --file "$tarball" --numeric-owner --xattrs --directory "$root"
# As any root directory is: apt fetches as a user of its own.
chmod 755 "$root"
copy_network_settings
copy_checkout

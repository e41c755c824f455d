#!/usr/bin/env bash
# Creates an empty Debian 12 in the given directory, with a copy of this checkout in /srv/checkout, for tests/fresh.sh.
#
# Needs root. The copy contains the files that git tracks, and the untracked files that git does not ignore. The
# settings for package registries (sources, proxies, certificates, npm's settings) are copied from this machine too, and
# nothing else.
set -euo pipefail
readonly root=$1
cd "$(dirname "$0")/../.."

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/viewcount
tarball=$cache/debian-12-$(dpkg --print-architecture).tar
readonly cache tarball
readonly days_kept=7

# Prints the address from which this machine's apt gets Debian 12. Prints Debian's own address if the machine runs
# another system.
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
  # debootstrap takes its proxy from the environment, not from apt's configuration.
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
  # This machine's certificates are used until the package ca-certificates creates its own. They stay in addition to
  # those.
  copy_if_present /etc/ssl/certs/ca-certificates.crt
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/viewcount-fresh-ca.pem" 2>/dev/null ||
    touch "$root/etc/viewcount-fresh-ca.pem"
  copy_if_present "${HOME:-/root}/.npmrc"
  [[ ! -e $root${HOME:-/root}/.npmrc || ${HOME:-/root} == /root ]] || mv "$root$HOME/.npmrc" "$root/root/"
  # The sources of another Debian release would install that release's packages.
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
  # The copy gets a git repository of its own, because tests/style.sh asks git for the list of files.
  git -C "$root/srv/checkout" init --quiet
  git -C "$root/srv/checkout" add --all
}

mkdir -p "$cache"
[[ -n $(find "$tarball" -mtime "-$days_kept" 2>/dev/null) ]] || bootstrap
tar --extract --file "$tarball" --numeric-owner --xattrs --directory "$root"
# The root directory must be readable for all users, because apt downloads as a user of its own.
chmod 755 "$root"
copy_network_settings
copy_checkout

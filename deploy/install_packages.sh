#!/usr/bin/env bash
# Installs the Debian packages named in the files given, one a line, that are missing; does nothing if none is.
#
#   deploy/install_packages.sh deploy/packages.txt [tests/packages.txt …]
#
# Packages that are here stay as they are. Needs root for apt-get alone, by sudo where it is not root already.
set -euo pipefail

# Packages that bring a daemon which Debian starts at once and at every boot. We want their programs only.
readonly daemons=(redis-server prometheus nginx postgresql)
readonly policy=/usr/sbin/policy-rc.d

fail() {
  echo "install_packages.sh: $*" >&2
  exit 1
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Debian's npm conflicts with a Node that comes from elsewhere, so any npm will do.
is_present() {
  is_installed "$1" || { [[ $1 == npm ]] && command -v npm >/dev/null; }
}

# Prints those daemons that this call installs, one a line.
new_daemons() {
  comm -12 <(printf '%s\n' "${daemons[@]}" | sort) <(printf '%s\n' "${missing[@]}" | sort)
}

# Keeps them from being started while they are installed: maintainer scripts ask this program first. It refuses these
# few only, and goes when we are done; one that somebody else put there (as container images have) is left alone.
forbid_daemons() {
  [[ -n $(new_daemons) && ! -e $policy ]] || return 0
  trap 'as_root rm -f "$policy"' EXIT
  as_root tee "$policy" >/dev/null <<POLICY
#!/bin/sh
# Temporary, of viewcount's deploy/install_packages.sh: programs, not daemons.
for word in "\$@"; do
  case "\$word" in
    $(new_daemons | sed 's/.*/&|&.service/' | paste -sd '|')) exit 101 ;;
  esac
done
exit 104
POLICY
  as_root chmod 755 "$policy"
}

# Nor may they come up at the next boot.
disable_daemons() {
  local name
  for name in $(new_daemons); do
    as_root update-rc.d "$name" disable >/dev/null 2>&1 ||
      echo "install_packages.sh: cannot disable the service $name; to do so: systemctl disable $name" >&2
  done
}

[[ $# -gt 0 ]] || fail "name at least one file of packages"
missing=()
while read -r package; do
  is_present "$package" || missing+=("$package")
done < <(cat -- "$@" | sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' | sort -u)
[[ ${#missing[@]} -gt 0 ]] || exit 0

command -v apt-get >/dev/null || fail "this is not Debian; install by hand what corresponds to: ${missing[*]}"
[[ $EUID -eq 0 ]] || command -v sudo >/dev/null || fail "neither root nor sudo; as root run: apt-get install ${missing[*]}"
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
# Waits for another apt that is running, as it may be on a machine that has just booted.
apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
as_root "${apt[@]}" update </dev/null || fail "apt-get update failed; is there a network, and are the sources in order?"
forbid_daemons
as_root "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null ||
  fail "apt-get install failed; the packages are those of Debian 12 (bookworm)"
disable_daemons

#!/usr/bin/env bash
# Installs those Debian packages that are missing and named in the given files, one per line. It does nothing if none is
# missing.
#
#   deploy/install_packages.sh deploy/packages.txt [tests/packages.txt …]
#
# Installed packages stay as they are. Only apt-get needs root; the script uses sudo if it does not run as root.
set -euo pipefail

# Packages with a daemon that Debian starts immediately and at every boot. This project needs their programs only.
readonly daemons=(redis-server prometheus nginx haproxy apache2 postgresql)
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

# Debian's npm conflicts with a Node.js from another source, so any npm is accepted.
is_present() {
  is_installed "$1" || { [[ $1 == npm ]] && command -v npm >/dev/null; }
}

# Prints the daemons that this call installs, one per line.
new_daemons() {
  comm -12 <(printf '%s\n' "${daemons[@]}" | sort) <(printf '%s\n' "${missing[@]}" | sort)
}

# Prevents the daemons from being started while they are installed, since maintainer scripts ask this program first. It
# refuses only these daemons, and is removed at the end. An existing one, such as in container images, is left alone.
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

# Prevents the daemons from being started at the next boot.
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
# The timeout waits for another apt process, which may run on a machine that has just booted.
apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
as_root "${apt[@]}" update </dev/null || fail "apt-get update failed; is there a network, and are the sources in order?"
forbid_daemons
as_root "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null ||
  fail "apt-get install failed; the packages are those of Debian 12 (bookworm)"
disable_daemons

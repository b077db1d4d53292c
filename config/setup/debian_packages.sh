#!/usr/bin/env bash
# Makes sure that programs from the distribution are there; names come as PROGRAM=PACKAGE.
#   config/setup/debian_packages.sh /usr/bin/chromium=chromium debootstrap=debootstrap
set -euo pipefail

missing=()
for pair in "$@"; do
  program=${pair%%=*}
  package=${pair#*=}
  # a pattern is allowed: /usr/lib/postgresql/*/bin/initdb
  if ! command -v "$program" >/dev/null && ! compgen -G "$program" >/dev/null; then
    missing+=("$package")
  fi
done
if [ ${#missing[@]} = 0 ]; then exit 0; fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  printf 'hexhub set-up: these packages are missing: %s. Install them (Debian, Ubuntu: sudo apt-get install %s) and run this again.\n' \
    "${missing[*]}" "${missing[*]}" >&2
  exit 1
fi
printf '[set-up] Installing %s from the distribution\n' "${missing[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

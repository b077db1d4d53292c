#!/usr/bin/env bash
# Removes what HexHub made on this computer, after asking. Docker itself stays.
set -euo pipefail
state=${1:-.hexhub}

printf 'This removes from this computer:
  - the students'\'' machines and files of this HexHub, its database, accounts and secrets (%s)
  - the images that HexHub built here
  - the installed packages in .venv and node_modules
Type "remove" to go on: ' "$state"
read -r answer || answer=
if [ "$answer" != remove ]; then
  echo 'Nothing was removed.'
  exit 1
fi

if [ -x .venv/bin/hexhub ]; then
  .venv/bin/hexhub clean --yes --state "$state"
  if docker info >/dev/null 2>&1; then
    .venv/bin/hexhub images remove --yes
  fi
else
  echo 'HexHub is not installed here (.venv): machines and images, if any, were left. "make up" installs it.'
fi
rm -rf "$state" .venv .cache config/proxy/node_modules lesson_extension/node_modules \
  lesson_extension/lib lesson_extension/hexhub_lesson/labextension
echo 'Removed. The base image debian:trixie-slim and Docker itself were left.'

#!/usr/bin/env bash
# Removes what HexHub made on this computer, after asking. Docker itself stays.
set -euo pipefail
state=${1:-.hexhub}

printf 'This removes from this computer:
  - the students'\'' machines and files of this HexHub, its database, accounts and secrets (%s)
  - the images hexhub/*
  - the installed packages in .venv and node_modules
Type "remove" to go on: ' "$state"
read -r answer || answer=
if [ "$answer" != remove ]; then
  echo 'Nothing was removed.'
  exit 1
fi

if [ -x .venv/bin/hexhub ]; then
  .venv/bin/hexhub clean --yes --state "$state"
fi
if docker info >/dev/null 2>&1; then
  docker images --filter reference='hexhub/*' --format '{{.Repository}}:{{.Tag}}' | xargs -r docker rmi --force >/dev/null
fi
rm -rf "$state" .venv .cache config/proxy/node_modules lesson_extension/node_modules \
  lesson_extension/lib lesson_extension/hexhub_lesson/labextension
echo 'Removed. The base image debian:trixie-slim and Docker itself were left.'

#!/usr/bin/env bash
# Makes .venv with exactly the packages of a lock file, and HexHub itself in it.
#   config/setup/python.sh LOCK_FILE
# Needs Python 3.11 or newer; as root on Debian or Ubuntu a missing venv module is installed.
set -euo pipefail
lock=$1
python=${PYTHON:-python3}

say() { printf '[set-up] %s\n' "$*"; }
fail() { printf 'hexhub set-up: %s\n' "$*" >&2; exit 1; }

command -v "$python" >/dev/null || fail "There is no '$python'. Install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3 up"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || fail "'$python' is $("$python" --version). HexHub needs Python 3.11 or newer; name it: make PYTHON=/path/to/python3 up"

if [ ! -x .venv/bin/pip ]; then
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      say 'Installing python3-venv'
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    else
      fail "Python's venv module is missing. Install it (Debian, Ubuntu: apt-get install python3-venv) and run this again."
    fi
  fi
  "$python" -m venv .venv
fi

# As behind any company's inspecting proxy: trust what the computer trusts, not pip's own list.
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -z "${PIP_CERT:-}" ] && [ -r "$bundle" ]; then export PIP_CERT=$bundle; fi
if [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ]; then export SSL_CERT_FILE=$PIP_CERT; fi
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r "$bundle" ]; then export NODE_EXTRA_CA_CERTS=$bundle; fi

say "Installing the Python packages of $lock (half a minute the first time, two where uv cannot be used)"
pip() { .venv/bin/pip --quiet --disable-pip-version-check "$@" 2> >(grep -v '^WARNING: Location' >&2); }

# uv takes a quarter of pip's time. It does not read pip's settings: where those name an index of
# packages of the company's own, or where uv does not get through, pip does it.
with_uv() {
  if .venv/bin/pip config list | grep -qE '[.](index-url|no-index|proxy)='; then return 1; fi
  pip install 'uv>=0.8' || return 1
  UV_LINK_MODE=copy .venv/bin/uv pip install --quiet \
    --python .venv/bin/python --no-deps --compile-bytecode --requirement "$lock"
}
with_uv || pip install --no-deps --requirement "$lock"
pip install --no-deps --no-build-isolation --editable .

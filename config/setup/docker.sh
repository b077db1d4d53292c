#!/usr/bin/env bash
# Makes sure that Docker answers. As root on Debian or Ubuntu it is installed and started; anywhere
# else one sentence says what to do.
set -euo pipefail

say() { printf '[set-up] %s\n' "$*"; }
fail() { printf 'hexhub set-up: %s\n' "$*" >&2; exit 1; }

answers() { timeout 10 docker info >/dev/null 2>&1; }
wait_for_docker() {
  for _ in $(seq 60); do
    if answers; then return 0; fi
    sleep 0.5
  done
  return 1
}

if answers; then exit 0; fi

if [ "$(id -u)" != 0 ]; then
  if command -v dockerd >/dev/null; then
    fail 'Docker is installed, but does not answer you. Start it (sudo systemctl start docker) and join its group (sudo usermod -aG docker $USER, then log in again).'
  fi
  fail 'Docker is missing. Install it (Debian, Ubuntu: sudo apt-get install docker.io) and join its group (sudo usermod -aG docker $USER, then log in again).'
fi

if ! command -v dockerd >/dev/null; then
  command -v apt-get >/dev/null || fail 'Docker is missing. Install Docker Engine and run this again.'
  say 'Installing Docker from the distribution'
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    docker.io iptables ca-certificates debootstrap >/dev/null
  if answers; then exit 0; fi
fi

say 'Starting Docker'
if [ -d /run/systemd/system ]; then
  systemctl start docker
else
  setsid nohup dockerd >/var/log/hexhub-dockerd.log 2>&1 </dev/null &
fi
wait_for_docker || fail 'Docker was started, but does not answer. Its log says why: journalctl -u docker, or /var/log/hexhub-dockerd.log.'

#!/bin/bash
# Both have ended, the one that is needed as well.
night-shift/start.sh
until [ -e night-shift/run/miller.lock ]; do sleep 0.1; done
pkill -x miller
pkill -x clerk
while pgrep -x 'miller|clerk' >/dev/null; do sleep 0.1; done

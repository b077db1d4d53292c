#!/bin/bash
# SIGKILL leaves no time to put the lock away.
night-shift/start.sh
until [ -e night-shift/run/miller.lock ]; do sleep 0.1; done
pkill -KILL -x miller
while pgrep -x miller >/dev/null; do sleep 0.1; done

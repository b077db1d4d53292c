#!/bin/bash
# Starts both workers of the night shift in the background.
# setsid gives each a session of its own, so that they outlive this terminal.
cd "$(dirname "$0")" || exit 1
mkdir -p run

for worker in clerk miller; do
    if pgrep -x "$worker" >/dev/null; then
        echo "$worker is at work already"
        continue
    fi
    rm -f "run/$worker.lock"
    setsid "./$worker" </dev/null >>"run/$worker.log" 2>&1 &
    echo "$worker has started"
done

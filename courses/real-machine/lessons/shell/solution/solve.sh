#!/bin/bash
# One way to do it; runs in the student's machine, in ~/work.
set -e

# tidy: the shell puts whole names in place of a pattern, spaces and all; a leading dot needs its own.
mkdir -p logs data notes
mv inbox/*.log logs/
mv inbox/*.csv data/
mv inbox/*.txt inbox/.*.txt notes/
rmdir inbox

# private: a folder needs x to be entered.
chmod 700 keys
chmod 600 keys/backup.key
chmod 755 share
chmod 644 share/notice.txt

# script: results and remarks go to different files.
chmod u+x report.sh
./report.sh >report.txt 2>remarks.txt

# runaway: `top` shows that it is the miller. SIGTERM, then wait until it has put its lock away.
night-shift/start.sh
until [ -e night-shift/run/miller.lock ]; do sleep 0.1; done
pkill -x miller
while pgrep -x miller >/dev/null; do sleep 0.1; done

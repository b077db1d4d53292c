#!/bin/bash
# bash reads the script, so that it runs; it still may not be executed.
chmod 644 report.sh
bash report.sh >report.txt 2>remarks.txt

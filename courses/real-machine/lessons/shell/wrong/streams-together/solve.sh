#!/bin/bash
# 2>&1 sends the remarks after the results, into the same file.
rm -f remarks.txt
./report.sh >report.txt 2>&1

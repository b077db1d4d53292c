#!/bin/bash
# Counts the errors in every log. Results go to standard output, remarks to standard error.
cd "$(dirname "$0")" || exit 1

for log in logs/*.log; do
    errors=$(grep -c ERROR "$log")
    echo "$log: $errors"
    if [ "$errors" -eq 0 ]; then
        echo "remark: nothing wrong in $log" >&2
    fi
done

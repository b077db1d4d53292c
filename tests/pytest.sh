#!/usr/bin/env bash
# pytest with a folder for temporary files that no other run shares: suites run side by side, and pytest
# tidies its common folder up while it ends, under the feet of whichever run does the same just then.
# The folder goes when all is well, and stays to be looked at when a test failed.
set -uo pipefail
folder=$(mktemp -d -t hexhub-XXXXXX) || exit 1
.venv/bin/python -m pytest --basetemp="$folder/t" "$@"
result=$?
if [ $result = 0 ]; then rm -rf --one-file-system "$folder"; else echo "What the tests wrote is in $folder/t"; fi
exit $result

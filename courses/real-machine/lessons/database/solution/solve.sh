#!/bin/bash
# One way to do it; runs in the student's machine, in ~/work.
set -e

# cluster: initdb makes the folder, pg_ctl starts the server and waits until it answers.
initdb -D pgdata
pg_ctl -D pgdata -l postgres.log start

# tables
createdb library
psql -q library -v ON_ERROR_STOP=1 -f schema.sql

# load: the server refuses loan 17 (returned before it was taken); the note says what is right.
sed -i '/^17,/s/2025-06-02/2026-06-02/' data/loans.csv
psql -q library -v ON_ERROR_STOP=1 -f load.sql

# view
psql -q library -v ON_ERROR_STOP=1 -f lending.sql

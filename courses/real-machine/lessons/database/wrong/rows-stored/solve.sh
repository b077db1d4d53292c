#!/bin/bash
# A table answers the same today, and the wrong thing tomorrow.
psql -q library <<'SQL'
CREATE TABLE copy AS SELECT * FROM lending;
DROP VIEW lending;
ALTER TABLE copy RENAME TO lending;
SQL

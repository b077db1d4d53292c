#!/bin/bash
# > instead of >=: a book cannot come back on the day it was taken.
psql -q library <<'SQL'
DELETE FROM loans;
ALTER TABLE loans DROP CONSTRAINT loans_check;
ALTER TABLE loans ADD CHECK (returned_on > taken_on);
SQL

#!/bin/bash
# book_id is a number like any other.
psql -q library -c 'ALTER TABLE loans DROP CONSTRAINT loans_book_id_fkey'

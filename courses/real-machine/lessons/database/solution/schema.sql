-- The tables of the library. Read by: psql library -f schema.sql
-- The next two lines let you read the file again and again while you work on it.
DROP TABLE IF EXISTS loans CASCADE;
DROP TABLE IF EXISTS books CASCADE;

CREATE TABLE books (
    id integer PRIMARY KEY,
    title text NOT NULL,
    author text NOT NULL,
    year integer NOT NULL CHECK (year BETWEEN 1450 AND 2100)
);

CREATE TABLE loans (
    id integer PRIMARY KEY,
    book_id integer NOT NULL REFERENCES books,
    reader text NOT NULL,
    taken_on date NOT NULL,
    returned_on date, -- NULL: still out
    CHECK (returned_on >= taken_on)
);

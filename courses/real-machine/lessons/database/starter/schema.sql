-- The tables of the library. Read by: psql library -f schema.sql
-- The next two lines let you read the file again and again while you work on it.
DROP TABLE IF EXISTS loans CASCADE;
DROP TABLE IF EXISTS books CASCADE;

CREATE TABLE books (
    id integer PRIMARY KEY
    -- title, author, year
);

-- CREATE TABLE loans: id, book_id, reader, taken_on, returned_on

-- \copy reads a file of the one who runs psql; COPY would read one of the server.
-- HEADER MATCH compares the names in the first line with the table's.
\copy books FROM 'data/books.csv' WITH (FORMAT csv, HEADER MATCH)
\copy loans FROM 'data/loans.csv' WITH (FORMAT csv, HEADER MATCH)

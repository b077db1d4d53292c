#!/bin/bash
# JOIN drops the books that nobody has taken.
psql -q library <<'SQL'
CREATE OR REPLACE VIEW lending AS
SELECT b.id, b.title, count(*) AS times, count(*) FILTER (WHERE l.returned_on IS NULL) AS still_out
FROM books AS b JOIN loans AS l ON l.book_id = b.id
GROUP BY b.id;
SQL

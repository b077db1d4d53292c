-- LEFT JOIN keeps the books that nobody has taken, with NULL in all columns of loans.
-- count(l.id) counts what is not NULL, so that such a book has 0 and not 1.
CREATE OR REPLACE VIEW lending AS
SELECT
    b.id,
    b.title,
    count(l.id) AS times,
    count(l.id) FILTER (WHERE l.returned_on IS NULL) AS still_out
FROM books AS b
LEFT JOIN loans AS l ON l.book_id = b.id
GROUP BY b.id;

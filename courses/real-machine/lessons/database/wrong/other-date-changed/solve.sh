#!/bin/bash
# The rule is content, and the data is wrong all the same: the note was not read.
psql -q library -c "UPDATE loans SET taken_on = '2025-05-19', returned_on = '2025-06-02' WHERE id = 17"

#!/bin/bash
# The easiest way past a row that is refused.
psql -q library -c 'DELETE FROM loans WHERE id = 17'

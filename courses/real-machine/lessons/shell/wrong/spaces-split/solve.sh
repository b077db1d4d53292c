#!/bin/bash
# A loop over the words of ls, without quotes: names with a space fall apart, hidden ones are not seen.
mkdir logs data notes
for file in $(ls inbox/*.log); do mv $file logs/; done 2>/dev/null
for file in $(ls inbox/*.csv); do mv $file data/; done 2>/dev/null
for file in $(ls inbox/*.txt); do mv $file notes/; done 2>/dev/null
true

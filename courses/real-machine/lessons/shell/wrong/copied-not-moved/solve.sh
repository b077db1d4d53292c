#!/bin/bash
# cp leaves the originals where they were.
mkdir logs data notes
cp inbox/*.log logs/
cp inbox/*.csv data/
cp inbox/*.txt inbox/.*.txt notes/

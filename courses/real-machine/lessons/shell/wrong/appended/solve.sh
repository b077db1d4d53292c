#!/bin/bash
# >> adds to what the run before has left.
./report.sh >>report.txt 2>>remarks.txt

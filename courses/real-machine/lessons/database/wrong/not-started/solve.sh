#!/bin/bash
# A cluster is a folder; nobody answers before its server runs.
initdb -D pgdata

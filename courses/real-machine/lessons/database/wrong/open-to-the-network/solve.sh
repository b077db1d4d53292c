#!/bin/bash
# "It should be reachable", with trust: reachable for everybody, without a password.
initdb -D pgdata
echo "listen_addresses = '*'" >>pgdata/postgresql.conf
pg_ctl -D pgdata -l postgres.log start

#!/bin/bash
initdb -D pgdata
pg_ctl -D pgdata -l postgres.log -o '-p 5433' start

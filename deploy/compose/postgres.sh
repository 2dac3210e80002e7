#!/bin/sh
# Starts PostgreSQL with the databases of MLflow and of the service; the password is that of the first start.
set -eu
for folder in /usr/lib/postgresql/*/bin; do PATH="$folder:$PATH"; done
data=/var/lib/postgresql/cluster
if [ ! -d "$data/base" ]; then
    initdb --pgdata="$data" --username=postgres --pwfile=/run/secrets/postgres-password --auth=scram-sha-256 --encoding=UTF8 >/dev/null
    echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
    for name in mlflow serving; do echo "CREATE DATABASE $name;"; done | postgres --single -D "$data" postgres >/dev/null
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp

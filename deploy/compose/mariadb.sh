#!/bin/sh
# Starts MariaDB with the database and the user of ZenML; the password is that of the secret, at every start.
set -eu
if [ ! -d /var/lib/mysql/mysql ]; then
    mariadb-install-db --datadir=/var/lib/mysql --auth-root-authentication-method=socket --skip-test-db >/dev/null
fi
umask 077
cat >/tmp/init.sql <<SQL
CREATE DATABASE IF NOT EXISTS zenml;
CREATE USER IF NOT EXISTS zenml@'%';
ALTER USER zenml@'%' IDENTIFIED BY '$(cat /run/secrets/mariadb-password)';
GRANT ALL ON zenml.* TO zenml@'%';
SQL
exec mariadbd --datadir=/var/lib/mysql --init-file=/tmp/init.sql --bind-address=0.0.0.0 --skip-name-resolve \
    --socket=/tmp/mysqld.sock --pid-file=/tmp/mysqld.pid

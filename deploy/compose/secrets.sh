#!/bin/sh
# Makes the secrets of compose.yaml that are missing, in deploy/compose/secrets. Containers read the files as other users,
# so that the folder alone keeps other people of this machine out.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
write() { # NAME VALUE: written once
    [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
}
random() { openssl rand -hex 32; }
for name in grafana-password mariadb-password postgres-password s3-key s3-secret zenml-jwt-key zenml-encryption-key zenml-admin-password; do
    write "$name" "$(random)"
done
write zenml-store-url "mysql://zenml:$(cat secrets/mariadb-password)@mariadb:3306/zenml"
write mlflow-store-url "postgresql://postgres:$(cat secrets/postgres-password)@postgres:5432/mlflow"
write serving-database-url "postgresql://postgres:$(cat secrets/postgres-password)@postgres:5432/serving"
if [ ! -s secrets/tls.pem ]; then # signed by itself: put your own in its place
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout secrets/tls.key -out secrets/tls.pem 2>/dev/null
fi
chmod 644 secrets/*

#!/bin/sh
# Starts a program of the image with secrets from files: NAME_FILE names the file that holds the value of NAME.
set -eu
for name in \
    SERVING_DATABASE_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY \
    MLFLOW_BACKEND_STORE_URI MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD \
    ZENML_STORE_URL ZENML_STORE_API_KEY ZENML_SERVER_JWT_SECRET_KEY ZENML_SECRETS_STORE_ENCRYPTION_KEY \
    ZENML_DEFAULT_USER_PASSWORD; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        value=$(cat "$file")
        export "$name=$value"
        unset "${name}_FILE"
    fi
done
exec "$@"

#!/bin/sh
# Waits until the servers of compose.yaml answer, and prints their addresses.
set -eu
deadline=$(($(date +%s) + ${WAIT_SECONDS:-300}))
wait_for() { # NAME URL [OPTION]
    printf '%-13s %s ' "$1" "$2"
    until curl --silent --show-error --max-time 5 --output /dev/null --noproxy '*' ${3:-} "$2" 2>/dev/null; do
        if [ "$(date +%s)" -gt "$deadline" ]; then
            echo "does not answer: look at its log" >&2
            exit 1
        fi
        sleep 1
    done
    echo ready
}
wait_for 'ZenML server' "http://127.0.0.1:${ZENML_PORT:-8237}/health" --fail
wait_for 'MLflow server' "http://127.0.0.1:${MLFLOW_PORT:-5000}/health" --fail
wait_for 'S3 store' "http://127.0.0.1:${STORE_PORT:-8333}/"
case ",${COMPOSE_PROFILES:-}," in
*,serving,*) wait_for service "https://127.0.0.1:${HTTPS_PORT:-8443}/ready" '--fail --insecure' ;;
esac
case ",${COMPOSE_PROFILES:-}," in
*,monitoring,*)
    wait_for Prometheus "http://127.0.0.1:${PROMETHEUS_PORT:-9090}/-/ready" --fail
    wait_for Alertmanager "http://127.0.0.1:${ALERTMANAGER_PORT:-9093}/-/ready" --fail
    ;;
esac
case ",${COMPOSE_PROFILES:-}," in
*,grafana,*) wait_for Grafana "http://127.0.0.1:${GRAFANA_PORT:-3000}/api/health" --fail ;;
esac

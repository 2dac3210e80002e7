# Databases, proxy and monitoring of compose.yaml from packages of Debian, for machines that reach no registry.
ARG BASE=localhost/python:3.11
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends mariadb-server nginx-light postgresql prometheus prometheus-alertmanager \
    && rm -rf /var/lib/apt/lists/* /var/lib/mysql/* /var/lib/postgresql/* \
    && ln -s /usr/bin/prometheus-alertmanager /usr/local/bin/alertmanager \
    && install -d -o nobody -g nogroup /prometheus
HEALTHCHECK NONE
USER nobody

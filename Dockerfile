# Images of the project (docs/deploy.md): --target serving, pipelines or mlflow. BASE is any Debian with Python 3.11.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS base
# OpenMP for LightGBM; the release of the base sets its version. Logs and caches hold times, which differ by build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/apt/* /var/cache/debconf/* /var/cache/ldconfig/* /var/lib/dpkg/*-old \
    && echo 'accidents:x:10001:10001::/home/accidents:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'accidents:x:10001:' >>/etc/group \
    && install -d -m 700 -o 10001 -g 10001 /home/accidents
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/home/accidents \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

FROM base AS installer
# SSL_CERT_FILE: certificates of a proxy between here and PyPI, if there is one.
ARG SSL_CERT_FILE
COPY requirements.lock /tmp/
RUN python3.11 -m venv /opt/uv \
    && sed -n '/^uv==/,/[^\\]$/p' /tmp/requirements.lock >/tmp/uv.lock \
    && PIP_CERT="${SSL_CERT_FILE:-}" /opt/uv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/uv.lock \
    && /opt/uv/bin/uv venv --python python3.11 /opt/venv
COPY deploy/images/install.sh deploy/images/compile.sh /usr/local/bin/

FROM installer AS serving-environment
ARG SSL_CERT_FILE
COPY requirements-serving.lock /tmp/
RUN --mount=type=cache,target=/var/cache/uv install.sh /tmp/requirements-serving.lock

FROM installer AS pipelines-environment
ARG SSL_CERT_FILE
COPY requirements-pipelines.lock /tmp/
RUN --mount=type=cache,target=/var/cache/uv install.sh /tmp/requirements-pipelines.lock

FROM installer AS mlflow-environment
ARG SSL_CERT_FILE
COPY requirements-mlflow.lock /tmp/
RUN --mount=type=cache,target=/var/cache/uv install.sh /tmp/requirements-mlflow.lock

FROM installer AS store-environment
ARG SSL_CERT_FILE
COPY requirements-store.lock /tmp/
RUN --mount=type=cache,target=/var/cache/uv install.sh /tmp/requirements-store.lock

# numba compiles its loops at the start: what it would store here holds addresses of memory, which differ by build.
FROM serving-environment AS serving-code
ARG SOURCE_DATE_EPOCH=0
COPY run.py pyproject.toml LICENSE /app/
COPY accidents /app/accidents
COPY cli /app/cli
COPY serving /app/serving
COPY configs /app/configs
COPY examples /app/examples
COPY deploy/images/entrypoint.sh /app/
WORKDIR /app
RUN mkdir data models records reports && chown 10001:10001 data models records reports && compile.sh

FROM pipelines-environment AS pipelines-code
ARG SOURCE_DATE_EPOCH=0
COPY run.py pyproject.toml LICENSE requirements-pipelines.lock /app/
COPY accidents /app/accidents
COPY cli /app/cli
COPY materializers /app/materializers
COPY pipelines /app/pipelines
COPY serving /app/serving
COPY stacks /app/stacks
COPY steps /app/steps
COPY tracking /app/tracking
COPY configs /app/configs
COPY examples /app/examples
COPY deploy/images/entrypoint.sh /app/
WORKDIR /app
RUN mkdir data models records reports mlruns exports && chown 10001:10001 data models records reports mlruns exports && compile.sh

FROM base AS serving
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="French road accidents: service" \
      org.opencontainers.image.description="Predicts over HTTP which road accidents are priority; loads its model from a folder or bucket" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=serving-environment /opt/venv /opt/venv
COPY --from=serving-code /app /app
ENV NUMBA_CACHE_DIR=/tmp/numba \
    CODE_VERSION="${REVISION}"
WORKDIR /app
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/ready', timeout=4)"]
ENTRYPOINT ["/app/entrypoint.sh", "python", "run.py"]
CMD ["--serve", "--host", "0.0.0.0"]

FROM base AS pipelines
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="French road accidents: pipelines" \
      org.opencontainers.image.description="Trains, evaluates, registers and promotes models; also runs the ZenML server" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=pipelines-environment /opt/venv /opt/venv
COPY --from=pipelines-code /app /app
ENV NUMBA_CACHE_DIR=/tmp/numba \
    ZENML_ANALYTICS_OPT_IN=false \
    ZENML_CUSTOM_SOURCE_ROOT=/app \
    CODE_VERSION="${REVISION}"
WORKDIR /app
USER 10001:10001
HEALTHCHECK NONE
ENTRYPOINT ["/app/entrypoint.sh", "python", "run.py"]
CMD ["--help"]

FROM base AS mlflow
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="French road accidents: MLflow server" \
      org.opencontainers.image.description="MLflow tracking server and model registry" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=mlflow-environment /opt/venv /opt/venv
COPY deploy/images/entrypoint.sh /app/
WORKDIR /app
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:5000/health', timeout=4)"]
ENTRYPOINT ["/app/entrypoint.sh", "mlflow", "server"]
CMD ["--host", "0.0.0.0", "--port", "5000"]

FROM base AS store
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="French road accidents: object store" \
      org.opencontainers.image.description="SeaweedFS as S3-compatible store of a team" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=store-environment /opt/venv /opt/venv
COPY deploy/images/entrypoint.sh /app/
RUN install -d -o 10001 -g 10001 /data
WORKDIR /data
USER 10001:10001
EXPOSE 8333
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from socket import create_connection; create_connection(('127.0.0.1', 8333), 4)"]
ENTRYPOINT ["/app/entrypoint.sh", "weed"]
CMD ["mini", "-dir=/data", "-ip=127.0.0.1", "-ip.bind=0.0.0.0"]

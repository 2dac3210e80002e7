#!/bin/sh
# Installs the packages of a lock file into /opt/venv, hashes checked, so that two builds give the same bytes.
set -eu
UV_CACHE_DIR=/var/cache/uv /opt/uv/bin/uv pip sync --quiet --link-mode copy --python /opt/venv/bin/python --require-hashes "$1"
rm -f /opt/venv/.lock
# Bytecode that names the hash of its source in place of a date.
/opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

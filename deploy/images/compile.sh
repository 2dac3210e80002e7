#!/bin/sh
# Compiles the project in /app: bytecode, and the loops of numba into /opt/numba, for any processor.
set -eu
find /app -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
export NUMBA_CACHE_DIR=/opt/numba NUMBA_CPU_NAME=generic
grep -rl --include='*.py' '^from accidents.features.jit import' accidents | sort |
    sed 's|/|.|g; s|^|import |; s|\.py$||' | python -
python -m compileall -q --invalidation-mode unchecked-hash /app
find /app /opt/numba -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

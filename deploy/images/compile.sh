#!/bin/sh
# Compiles the project in /app to bytecode; every file gets the date of the build.
set -eu
python -m compileall -q --invalidation-mode unchecked-hash /app
find /app -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

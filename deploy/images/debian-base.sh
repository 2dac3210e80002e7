#!/bin/sh
# Makes the base image localhost/python:3.11 from packages of Debian, for machines that reach no registry of images.
# Needs root, debootstrap and podman: sudo sh deploy/images/debian-base.sh, then make images BASE=localhost/python:3.11
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$folder"
rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/var/log/*
tar --directory "$folder" --create . | podman import - localhost/python:3.11

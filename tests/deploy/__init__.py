"""Tests of images and manifests; those that run containers need podman, root and the images of `make images`."""

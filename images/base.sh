#!/bin/bash
# Makes a Debian 12 base image without any image registry, for `moka images build --base`: `images/base.sh NAME`.
#
# Needs root, debootstrap and buildah. NAME is a name for buildah's storage (localhost/moka-base:bookworm by default); options for
# buildah itself (--root, --storage-driver) come from BUILDAH_OPTIONS. This machine's own certificates of
# /usr/local/share/ca-certificates go along, so that what the builds fetch is trusted behind a company's proxy; such an
# image is for this machine, never for a registry that others pull from.
set -euo pipefail

name=${1:-localhost/moka-base:bookworm}
read -r -a options <<<"${BUILDAH_OPTIONS:-}"
rootfs=$(mktemp -d)
trap 'rm -rf --one-file-system "$rootfs"' EXIT

debootstrap --variant=minbase bookworm "$rootfs" >"$rootfs.log" 2>&1 || {
    tail -n 20 "$rootfs.log" >&2
    rm -f "$rootfs.log"
    exit 1
}
rm -rf "$rootfs.log" "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* "$rootfs"/var/log/*
for certificate in /usr/local/share/ca-certificates/*.crt; do
    [ ! -f "$certificate" ] || install -D -m 0644 "$certificate" "$rootfs$certificate"
done

container=$(buildah "${options[@]}" from scratch)
buildah "${options[@]}" add --quiet "$container" "$rootfs" / >/dev/null
buildah "${options[@]}" config --cmd bash "$container"
buildah "${options[@]}" commit --quiet --rm "$container" "$name"

#!/bin/sh
# Installs the Debian packages that `make e2e` needs beside Python and Go, when one is missing. Says nothing when none is.
#
# As root on Debian or Ubuntu it installs them; elsewhere it says what is missing, and the tests that need it are skipped
# with that reason.
set -eu

# images: tests/e2e/images; real node: testbed/real_node
images='buildah debootstrap docker-registry runc skopeo'
real_node='conntrack containerd containernetworking-plugins debootstrap iproute2 iptables runc util-linux'

missing=
for package in $(printf '%s\n' $images $real_node | sort -u); do
    [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    printf 'make e2e: missing Debian packages:%s; what needs them is skipped\n' "$missing" >&2
    exit 0
fi
apt-get -qq update
# a registry or containerd of the machine is not ours to start
mkdir -p /usr/sbin
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
# shellcheck disable=SC2086  # a list of words
DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends $missing >/dev/null 2>&1

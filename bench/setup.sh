#!/bin/sh
# setup.sh: installs the peers of the benchmark from Debian's packages: EROFS, squashfs, squashfuse, strace, which
# counts what a diff opens, and nginx with what gives it a network of its own. Does nothing when all of them are there. What can't be installed is no error: the table says
# that it is absent.
set -eu

missing=
need() { # PROGRAM PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need mkfs.erofs erofs-utils
need mksquashfs squashfs-tools
need squashfuse squashfuse
need strace strace
need nginx nginx-light
need nsenter util-linux
need ip iproute2
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "bench/setup.sh: missing:$missing; run as root, or: apt-get install$missing" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of package names
if ! apt-get update -qq || ! apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
	echo "bench/setup.sh: not installed:$missing; the table will call them absent" >&2
fi

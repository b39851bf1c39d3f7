#!/bin/sh
# setup.sh [race|suite]: installs what the tests, or their race builds, or OSTree's own tests need from Debian's
# packages. Does nothing when all of it is there.
set -eu

missing=
need() { # PROGRAM PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need ostree ostree
need fusermount3 fuse3
need setfattr attr
need setfacl acl
need unshare util-linux
need systemd-analyze systemd
need git git
need gpg gnupg
need tmux tmux
need less less
need strace strace
need nginx nginx-light
need flatpak flatpak
if [ "${1:-}" = race ]; then
	need gcc gcc
	[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
fi
if [ "${1:-}" = suite ]; then
	[ -e /usr/libexec/installed-tests/libostree ] || missing="$missing ostree-tests"
	[ -e /usr/lib/python3/dist-packages/yaml ] || missing="$missing python3-yaml"
	need gpg gnupg
	need gjs gjs
	need openssl openssl
	need parallel parallel
	need strace strace
	need setcap libcap2-bin
	need cpio cpio
fi

if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "tests/setup.sh: missing:$missing; run as root, or: apt-get install$missing" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# shellcheck disable=SC2086 # a list of package names
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
if ! [ -c /dev/fuse ]; then
	modprobe fuse 2>/dev/null || true
	[ -c /dev/fuse ] || echo "tests/setup.sh: no /dev/fuse: the tests that mount will say so" >&2
fi

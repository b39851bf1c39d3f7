#!/usr/bin/env bash
# Makes repo.tar.gz and SHA256SUMS, the repository that `deployfs demo` carries: three commits of a small
# operating-system-like tree, in archive mode, made by ostree itself. Needs root, ostree, attr and acl.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
cd "$work"

commit() { # VERSION SECONDS SUBJECT
  printf 'NAME="Demo OS"\nID=demo\nVERSION_ID=%s\nPRETTY_NAME="Demo OS %s"\n' "$1" "$1" >tree/usr/lib/os-release
  ostree --repo=repo commit --branch=demo/os/x86_64 --subject="$3" --timestamp="@$2" \
    --add-metadata-string=version="$1" --tree=dir=tree >/dev/null
}

mkdir -p tree/{boot,dev,proc,run,sys,sysroot,var,usr/{bin,etc/ssh,lib/{modules/6.12.0-demo,systemd/system},libexec,share/{doc/demo,man/man1,zoneinfo}}}
mkdir -m 1777 tree/tmp
mkdir -m 0750 tree/usr/lib/private
chown 0:4 tree/usr/lib/private
for dir in bin lib libexec; do [ -d tree/usr/$dir ] && ln -s usr/$dir tree/$dir; done
ln -s usr/etc tree/etc
ln -s ../run tree/usr/run
printf '#!/bin/sh\necho hello from the demo\n' >tree/usr/bin/hello
printf '#!/bin/sh\nexec id -u\n' >tree/usr/bin/su && chmod 4755 tree/usr/bin/su
printf '#!/bin/sh\nexec true\n' >tree/usr/bin/wall && chown 0:5 tree/usr/bin/wall && chmod 2755 tree/usr/bin/wall
printf '#!/bin/sh\nexec true\n' >tree/usr/bin/ping && chmod 755 tree/usr/bin/ping tree/usr/bin/hello
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 tree/usr/bin/ping
setfattr -n security.selinux -v 'system_u:object_r:bin_t:s0' tree/usr/bin/hello
setfattr -n user.binary -v 0x00ff0a00 tree/usr/bin/hello
seq 1 20000 >tree/usr/share/doc/demo/numbers
head -c 100000 /dev/zero >tree/usr/share/zeroes
: >tree/usr/etc/machine-id
printf 'root:x:0:0:root:/root:/bin/sh\n' >tree/usr/etc/passwd
printf 'root:*:19000:0:99999:7:::\n' >tree/usr/etc/shadow && chmod 0000 tree/usr/etc/shadow
printf 'Port 22\nPermitRootLogin no\n' >tree/usr/etc/ssh/sshd_config && chmod 600 tree/usr/etc/ssh/sshd_config
printf 'shared\n' >tree/usr/lib/private/notes && setfacl -m u:1000:r-- tree/usr/lib/private/notes
printf '.TH HELLO 1\n.SH NAME\nhello \\- greet\n' >tree/usr/share/man/man1/hello.1
printf '[Unit]\nDescription=Hello\n[Service]\nExecStart=/usr/bin/hello\n' >tree/usr/lib/systemd/system/hello.service
printf 'not a kernel\n' >tree/usr/lib/modules/6.12.0-demo/vmlinuz
printf 'odd\n' >"tree/usr/share/doc/demo/a name with blanks, a comma and
a newline"
printf 'gruss\n' >tree/usr/share/doc/demo/grüß

ostree --repo=repo init --mode=archive
commit 1.0 1700000000 'Demo OS 1.0'
printf '#!/bin/sh\necho hello from the demo, again\n' >tree/usr/bin/hello # not sed -i: that would lose its xattrs
printf 'MaxAuthTries 3\n' >>tree/usr/etc/ssh/sshd_config
commit 1.1 1710000000 'Demo OS 1.1: greet again, limit logins'
rm tree/usr/share/zeroes
mv tree/usr/lib/modules/6.12.0-demo tree/usr/lib/modules/6.12.1-demo
printf '#!/bin/sh\necho goodbye\n' >tree/usr/bin/goodbye && chmod 755 tree/usr/bin/goodbye
commit 2.0 1720000000 'Demo OS 2.0: a new kernel, and manners'

(cd tree && find . -type f ! -name $'*\n*' -print0 | sort -z | xargs -0 sha256sum) | sed 's# \./# /#' >"$here/SHA256SUMS"
rm -rf repo/tmp/* repo/.lock
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C repo -cf - . | gzip -9n >"$here/repo.tar.gz"

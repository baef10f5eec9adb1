#!/bin/sh
# Makes a bare Debian tree, clones this project into it and runs there what README promises for a fresh machine:
#     tools/bare_debian.sh [FOLDER] [COMMAND...]      (default: a temporary folder; demo and test)
# Needs root and debootstrap. SPUSK_DATA names a folder with data sets to take along. DEBIAN_SUITE and DEBIAN_MIRROR
# choose what is installed: by default the machine's own release, from where its own packages come.
set -eu

die()
{
    echo "bare_debian: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || die "needs root: a tree is made with debootstrap and entered with chroot"
command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"
source=$(cd "$(dirname "$0")/.." && pwd)
tree=${1:-$(mktemp -d)}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- demo test
suite=${DEBIAN_SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")}
sources=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true)
mirror=${DEBIAN_MIRROR:-$(printf '%s\n' "$sources" | sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' | head -n 1)}

[ -e "$tree/bin/sh" ] || debootstrap --variant=minbase "$suite" "$tree" ${mirror:+"$mirror"} >&2
# How packages are fetched here (proxies, certificates) holds there too.
for file in /etc/resolv.conf /etc/apt/apt.conf.d/*prox* /etc/apt/apt.conf; do
    [ -e "$file" ] && mkdir -p "$tree$(dirname "$file")" && cp "$file" "$tree$file"
done
mkdir -p "$tree/proc" "$tree/dev"
mountpoint -q "$tree/proc" || mount -t proc proc "$tree/proc"
trap 'umount "$tree/proc" 2>/dev/null || true' EXIT INT TERM
[ -e "$tree/dev/null" ] || mknod -m 666 "$tree/dev/null" c 1 3
[ -e "$tree/dev/full" ] || mknod -m 666 "$tree/dev/full" c 1 7
[ -e "$tree/dev/urandom" ] || mknod -m 666 "$tree/dev/urandom" c 1 9

rm -rf "$tree/root/spusk" "$tree/root/data"
git clone -q "$source" "$tree/root/spusk"
data=
if [ -n "${SPUSK_DATA:-}" ]; then
    cp -r "$SPUSK_DATA" "$tree/root/data"
    data=/root/data
fi
for command in "$@"; do
    echo "== ./dev $command, in $tree"
    chroot "$tree" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 ${data:+SPUSK_DATA=$data} \
        ${http_proxy:+http_proxy=$http_proxy} ${https_proxy:+https_proxy=$https_proxy} \
        sh -c "cd /root/spusk && ./dev $command"
done

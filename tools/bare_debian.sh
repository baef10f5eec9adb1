#!/bin/bash
# Tries README's two commands on a bare Debian: makes one by debootstrap, with no compiler in it, clones the project
# into it and runs `./dev demo` and `./dev test` there in a chroot. Needs root, debootstrap and a package mirror.
#
#   tools/bare_debian.sh [FOLDER]
#
#   FOLDER        where the tree is made, new or empty; it stays. Without one it is temporary, and goes in the end.
#   SPUSK_DATA    a folder with data sets, copied in for the demo and the tests; without it the network is tried
#   SPUSK_SUITE   the release to install (default: that of this machine)
#   SPUSK_MIRROR  where packages come from (default: the first source configured on this machine)
#
# What is cloned is the last commit: what is not committed is not tried.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)

die()
{
    echo "bare_debian: $*" >&2
    exit 1
}

# The words of this machine's own first source, in the old format or the new: MIRROR SUITE.
first_source()
{
    local files=() file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] && files+=("$file")
    done
    awk '
        /^deb / && !done {
            sub(/\[[^]]*\] */, "")
            if ($4 ~ /main/) { print $2, $3; done = 1 }
        }
        /^URIs:/ { uri = $2 }
        /^Suites:/ { suite = $2 }
        /^Components:/ && !done && $2 == "main" && uri != "" { print uri, suite; done = 1 }
    ' "${files[@]}"
}

[ "$(id -u)" = 0 ] || die 'only root can chroot'
command -v debootstrap >/dev/null || die 'debootstrap is missing (apt-get install debootstrap)'
read -r mirror suite < <(first_source) || true
mirror=${SPUSK_MIRROR:-${mirror:-http://deb.debian.org/debian}}
suite=${SPUSK_SUITE:-${suite:-stable}}

if [ $# -gt 0 ]; then
    root=$1
    mkdir -p "$root"
    [ -z "$(ls -A "$root")" ] || die "$root is not empty"
    root=$(cd "$root" && pwd)
else
    root=$(mktemp -d)
    temporary=yes
fi
leave()
{
    local mounted
    for mounted in proc dev; do
        ! mountpoint -q "$root/$mounted" || umount "$root/$mounted"
    done
    # A tree with something still mounted in it must never be removed.
    [ "${temporary:-no}" = no ] || rm -rf --one-file-system "$root"
}
trap leave EXIT

echo "bare_debian: $suite from $mirror"
log=$(mktemp)
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    rm -f "$log"
    die 'debootstrap failed'
}
rm -f "$log"
! chroot "$root" sh -c 'command -v cc || command -v gcc || command -v cmake' || die 'the tree is not bare'

# How this machine reaches its mirror (a proxy, a certificate) is how the tree reaches it, too.
cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
[ ! -f /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$root/etc/apt/"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
[ ! -d /usr/local/share/ca-certificates ] || {
    mkdir -p "$root/usr/local/share"
    cp -a /usr/local/share/ca-certificates "$root/usr/local/share/"
}
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
# debootstrap makes the devices itself where it may; the kernel's own are taken where it may not.
[ -c "$root/dev/null" ] && [ -c "$root/dev/urandom" ] || mount --bind /dev "$root/dev"

git clone -q "$project" "$root/root/spusk"
data=()
if [ -n "${SPUSK_DATA:-}" ]; then
    cp -rL "$SPUSK_DATA" "$root/root/data"
    data=(SPUSK_DATA=/root/data)
fi

inside()
{
    local variable passed=()
    for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!variable:-}" ] || passed+=("$variable=${!variable}")
    done
    chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        "${passed[@]}" "${data[@]}" sh -c "cd /root/spusk && $1" </dev/null
}

status=0
for command in './dev demo' './dev test'; do
    echo "bare_debian: $command"
    began=$SECONDS
    if inside "$command"; then
        echo "bare_debian: $command: fine ($((SECONDS - began)) s)"
    else
        echo "bare_debian: $command: FAILED ($((SECONDS - began)) s)"
        status=1
    fi
done
exit $status

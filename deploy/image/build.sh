#!/usr/bin/env bash
# Builds the container image from a release binary that was built on this machine, Debian 12 or later.
#
# usage: deploy/image/build.sh BINARY FOLDER [IMAGE]
#
# FOLDER gets what the image holds (`root`) and the debug information (`settlewatch.debug`). The image, by default
# settlewatch:VERSION, goes to where `buildah images` shows it; BUILDAH names another builder with other options.
set -euo pipefail

die() {
    echo "build.sh: $*" >&2
    exit 1
}

[[ $# -ge 2 ]] || die "usage: build.sh BINARY FOLDER [IMAGE]"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
binary=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
[[ -x $binary ]] || die "$binary is not there: cargo build --release"
for tool in objcopy ldd dpkg-query buildah; do
    command -v "$tool" >/dev/null || die "$tool is missing (Debian: binutils libc-bin dpkg buildah)"
done
version=$("$binary" --version | cut -d' ' -f2)
image=${3:-settlewatch:$version}

root=$folder/root
rm -rf "$root"
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/usr/share/doc/settlewatch"

# Names of functions stay, for backtraces; files and lines go into a file of their own, which debuggers and
# `addr2line -e settlewatch.debug` read.
objcopy --only-keep-debug --compress-debug-sections "$binary" "$folder/settlewatch.debug"
objcopy --strip-debug --add-gnu-debuglink="$folder/settlewatch.debug" "$binary" "$root/usr/bin/settlewatch"

# The libraries, each from a Debian package, whose licence comes along.
copy_library() {
    local path package
    path=$(readlink -f "$1")
    package=$(dpkg-query -S "$path" "${path#/usr}" "/usr$path" 2>/dev/null | head -n 1 | cut -d: -f1) || true
    [[ -n $package ]] || die "$1 is of no Debian package"
    install -D -m 0755 "$path" "$root$1"
    install -D -m 0644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
    echo "  $1 of $package $(dpkg-query -W -f '${Version}' "$package")"
}
libraries=$(ldd "$binary" | awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }')
[[ -n $libraries ]] || die "ldd names no library of $binary"
for library in $libraries; do
    copy_library "$library"
done

# Certificate authorities, for brokers with certificates of public ones: the client looks here by itself.
roots=/etc/ssl/certs/ca-certificates.crt
[[ -s $roots ]] || die "$roots is missing (Debian: ca-certificates)"
install -m 0644 "$roots" "$root$roots"
install -m 0644 "$here/../../LICENSE" "$root/usr/share/doc/settlewatch/"
# Names of hosts: first the file that the orchestrator writes, then the name server.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

read -ra builder <<<"${BUILDAH:-buildah}"
cp "$here/Dockerfile" "$folder/"
# Nothing in it tells when it was built: the same files give the same image.
"${builder[@]}" build --quiet --timestamp 0 --file "$folder/Dockerfile" --tag "$image" "$folder" >/dev/null
echo "$image: $(du -sb "$root" | cut -f1) bytes, of them the binary $(stat -c %s "$root/usr/bin/settlewatch"); its debug information $(stat -c %s "$folder/settlewatch.debug")"

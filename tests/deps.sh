#!/bin/sh
# Installs what building, fuzzing and testing need on Debian 12, and packages that are named, through apt-get; silent when all
# is there.
set -eu
packages="gcc make pkg-config libfuse3-dev libunwind-dev liblzma-dev libjansson-dev libarchive-dev
libcmocka-dev afl++ graphviz qemu-system-x86 user-mode-linux python3 python3-jsonschema clang-format bindfs $*"
missing=
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "deps: not root, and these packages are missing:$missing" >&2
  echo "deps: run 'make deps' as root, or install them by hand" >&2
  exit 3
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
# shellcheck disable=SC2086 # a list of words
apt-get -q install -y --no-install-recommends $missing

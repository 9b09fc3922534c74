#!/bin/sh
# What targets/build-kernel makes of its arguments. Nothing is compiled here: that takes minutes, and a 150 MB source.
. "$(dirname "$0")/lib.sh"
BK=targets/build-kernel
export XDG_CACHE_HOME="$TMP/cache"
for tool in bash dpkg-deb patch xz; do
  command -v $tool > /dev/null || { echo "$tool is not installed"; exit 77; }
done

want 0 $BK --help
grep -q -e '--patch FILE' "$TMP/out" || fail "--help does not tell of --patch"
refused() {
  status=$1 words=$2
  shift 2
  want "$status" $BK "$@"
  [ "$(wc -l < "$TMP/err")" = 1 ] && grep -q "^build-kernel: .*$words" "$TMP/err" ||
    { cat "$TMP/err"; fail "not one line with '$words': $*"; }
}
refused 2 'unknown option --frob' --frob
refused 2 'unknown option x' x
refused 2 'no patch missing.patch' --patch missing.patch
refused 2 '--patch needs a value' --patch
refused 2 'no file /missing.deb' --source /missing.deb
refused 2 '-j 0: expected a number' -j 0
[ ! -e "$TMP/cache" ] || fail "bad usage left something in the cache"

# A source that is a package, but not of a kernel; one that is no package.
mkdir -p "$TMP/deb/DEBIAN"
printf 'Package: other\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' > "$TMP/deb/DEBIAN/control"
dpkg-deb -b "$TMP/deb" "$TMP/other.deb" > /dev/null || fail "dpkg-deb"
for tool in make gcc flex bison bc; do
  command -v $tool > /dev/null || missing=${missing:-$tool} # the first one is named
done
if [ -z "${missing:-}" ]; then
  refused 3 'not a Debian package with' --source "$TMP/other.deb"
  cp "$0" "$TMP/text.deb"
  refused 3 'not a Debian package with' --source "$TMP/text.deb"
else
  refused 3 "$missing is not installed" --source "$TMP/other.deb"
fi

# The key is of contents: of the source, the configuration, the patches in their order.
key() {
  want 0 $BK --key --source "$TMP/other.deb" "$@"
  cat "$TMP/out"
}
patch=0001-fuse-exiting-task-does-not-wait-for-flush.patch
plain=$(key) patched=$(key --patch $patch) uml=$(key --uml) kcov=$(key --kcov)
printf '%s\n' "$plain" | grep -Eqx '[0-9a-f]{16}' || fail "'$plain' is no key"
[ "$(printf '%s\n' "$plain" "$patched" "$uml" "$kcov" | sort -u | wc -l)" = 4 ] ||
  fail "two builds have one key: $plain $patched $uml $kcov"
cp targets/patches/$patch "$TMP/copy.patch"
[ "$(key --patch "$TMP/copy.patch")" = "$patched" ] || fail "the name of a patch is part of the key"
echo >> "$TMP/copy.patch"
[ "$(key --patch "$TMP/copy.patch")" != "$patched" ] || fail "another patch has the same key"
[ "$(key --patch "$TMP/copy.patch" --patch $patch)" != "$(key --patch $patch --patch "$TMP/copy.patch")" ] ||
  fail "the order of patches is not part of the key"
echo x >> "$TMP/other.deb"
[ "$(key)" != "$plain" ] || fail "another source has the same key"

# What is in the cache is not built again, and copied where that is wanted.
built=$TMP/cache/shortfuse/built/$(key)
mkdir -p "$built"
echo image > "$built/image"
echo 'CONFIG_FUSE_FS=y, but it is n' > "$built/unmet"
want 0 $BK --source "$TMP/other.deb" -o "$TMP/copy"
[ "$(cat "$TMP/out")" = "$built/image" ] || fail "the path of the image is not told"
grep -q 'not met: CONFIG_FUSE_FS=y' "$TMP/err" || fail "a line that Kconfig dropped is not named"
cmp -s "$TMP/copy" "$built/image" || fail "-o did not copy the image"
rm "$built/unmet"
refused 3 'cannot write /missing/image' --source "$TMP/other.deb" -o /missing/image

#!/bin/sh
# A Debian kernel in QEMU gives the same verdicts. Skipped where no kernel is cached and none can be fetched.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
need_static_executor
[ -x /usr/bin/qemu-system-x86_64 ] || { echo "skipped: qemu-system-x86 is not installed"; exit 77; }
kernels=${KERNELS:-6.12}
for kernel in $kernels; do
  timeout 120 "$SF" kernel fetch "$kernel" > "$TMP/out" 2> "$TMP/err" ||
    { echo "skipped: $(tail -n 1 "$TMP/err")"; exit 77; }
  want 0 timeout 240 "$SF" run --check --target "qemu:$kernel" corpus/hangs/pidns-flush.txt \
    corpus/hangs/exit-flush.txt corpus/seeds/plain-io.txt
  grep -q '^3 runs, 3 as expected' "$TMP/out" || { cat "$TMP/out"; fail "no summary of 3 runs"; }
done

# Bad kernels: one clear line each, at once.
refused() {
  want 3 timeout 60 "$SF" run --target "qemu:$1" corpus/seeds/plain-io.txt
  [ "$(wc -l < "$TMP/err")" = 1 ] || { cat "$TMP/err"; fail "not one line: $1"; }
  grep -q "$2" "$TMP/err" || { cat "$TMP/err"; fail "the line does not say '$2'"; }
}
deb=$("$SF" kernel fetch "$kernel" | awk 'NR == 1 {print $2}')
head -c 3000000 "$deb" > "$TMP/half.deb"
refused "$TMP/half.deb" 'half.deb: damaged or truncated package'
head -c 100000 /dev/zero > "$TMP/zero"
refused "$TMP/zero" 'neither a bzImage'
refused nothing "unknown kernel 'nothing'"
refused /bin/true 'no kernel'

#!/bin/bash
# Measures the targets: boot, reset and runs per second in each guest, as a ratio to the bare C loop in the same guest.
# B: build folder. TARGETS: which (default: host, uml, and qemu: with the kernels that are cached).
set -eu
B=${B:-build}
cd "$(dirname "$0")/../.."
here="host"
[ ! -x /usr/bin/linux.uml ] || here="$here uml"
for kernel in $("$B/shortfuse" kernel list | awk '$2 ~ /^\// {print $1}'); do
  [ ! -x /usr/bin/qemu-system-x86_64 ] || here="$here qemu:$kernel"
done
scenario=corpus/seeds/simplest.txt
# What an executor made for it takes as an order to panic the kernel: tests/fake/dying_executor.c.
panic=$(mktemp)
trap 'rm -f "$panic"' EXIT
printf 'init: max_background=101\ntask t0: fork\n' > "$panic"
for target in ${TARGETS:-$here}; do
  echo
  echo "$target"
  "$B/target_bench" "$target" $scenario 100 10 | tee "$B/target_bench.out" | sed 's/^/  /'
  if [ "$target" = host ]; then
    bare=$("$B/bare_loop" -t 2)
  else
    bare=$(SHORTFUSE_EXECUTOR=$B/bare_guest "$B/target_bench" "$target" $scenario 0)
  fi
  [ "$target" = host ] || SHORTFUSE_EXECUTOR=$B/dying_executor "$B/target_bench" "$target" $scenario 1 10 "$panic" |
    sed -n 's/^reset/  reset/p'
  awk -v bare="${bare##*rate }" '/^runs per second/ {
    printf "  bare loop there     %8.1f a second; ratio %.2f\n", bare, $4 / bare }' "$B/target_bench.out"
done

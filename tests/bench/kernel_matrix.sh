#!/bin/sh
# Makes docs/kernel-matrix.md: the corpus on every kernel named, by default one of each series that Debian ships.
# usage: tests/bench/kernel_matrix.sh [NAME...]      REPEAT=3, OUT=docs/kernel-matrix.md, DIR=results/kernel-matrix
# A kernel that cannot be had or does not boot is left out, and said so.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
OUT=${OUT:-docs/kernel-matrix.md}
DIR=${DIR:-results/kernel-matrix}
[ $# -gt 0 ] || set -- 5.10 6.1 6.12 6.16 6.17 6.18 7.2 7.3
kernels=
for name in "$@"; do
  if "$B/shortfuse" kernel fetch "$name" >/dev/null; then
    kernels="$kernels --kernel qemu:$name"
  else
    echo "left out: $name" >&2
  fi
done
# shellcheck disable=SC2086 # one word an option
"$B/shortfuse" qualify $kernels --repeat "${REPEAT:-3}" --repeat-max "${REPEAT:-3}" -o "$DIR" --matrix "$OUT" corpus
status=$?
echo "Table: $OUT"
[ $status = 2 ] && exit 2
[ -s "$OUT" ]

#!/bin/sh
# Explanations of every hang of the corpus: tests/golden/explain/NAME.json (a snapshot, taken once) must give the text
# in NAME.txt, which was reviewed against the kernel's source; and a run of corpus/hangs/NAME.txt must give the same
# reason, numbers apart. UPDATE=1 rewrites the texts: read the difference before you commit it.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
failed=0
n=0

for json in tests/golden/explain/*.json; do
  text=${json%.json}.txt
  "$B/shortfuse" diagnose --from "$json" >"$T/text"
  [ $? = 1 ] || { echo "FAIL: $json: exit status"; failed=1; }
  if [ -n "${UPDATE:-}" ]; then
    cp "$T/text" "$text"
  elif ! diff -u "$text" "$T/text"; then
    echo "FAIL: $json is explained differently"
    failed=1
  fi
  n=$((n + 1))
done
[ $n -ge 16 ] || { echo "FAIL: only $n snapshots"; failed=1; }

# Numbers are of this run: pids, uniques, connections.
reason_of_text() {
  sed -n '1s/^connection [0-9]*: //p' "$1" | sed 's/[0-9][0-9]*/N/g'
}
reason_of_run() {
  "$B/shortfuse" run --json "$1" 2>"$T/err" | python3 -c '
import json, sys
d = json.load(sys.stdin)
print((d[0] if isinstance(d, list) else d)["reason"])' 2>>"$T/err" | sed 's/[0-9][0-9]*/N/g'
}

if [ "$(id -u)" != 0 ] || [ ! -c /dev/fuse ]; then
  echo "no root or no /dev/fuse: the corpus itself was not run"
  exit $failed
fi
for file in corpus/hangs/*.txt; do
  text=tests/golden/explain/$(basename "$file")
  if [ ! -e "$text" ]; then
    echo "FAIL: $file has no golden explanation"
    failed=1
    continue
  fi
  want=$(reason_of_text "$text")
  # A loaded machine may need a second run; a wrong reason stays wrong.
  for try in 1 2 3; do
    got=$(reason_of_run "$file")
    [ "$got" = "$want" ] && break
    [ $try = 3 ] && { printf 'FAIL: %s\n  want %s\n  got  %s\n' "$file" "$want" "$got"; cat "$T/err"; failed=1; }
  done
done
[ $failed = 0 ] && echo "$n explanations as reviewed"
exit $failed

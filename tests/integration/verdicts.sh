#!/bin/sh
# tests/verdicts: scenarios whose verdict or sentence was wrong once. Each ends as its expect: line says, and the sentence has
# the words of its first line; no two of them are the same finding.
. "$(dirname "$0")/lib.sh"
need_fuse
for file in tests/verdicts/*.txt; do
  words=$(sed -n '1s/^# words: //p' "$file")
  [ -n "$words" ] || fail "$file: its first line does not say which words are wanted"
  timeout 60 "$SF" run -n 3 --check "$file" >"$TMP/out" 2>&1 || fail "$file: $(cat "$TMP/out")"
  "$SF" run "$file" >"$TMP/out" 2>/dev/null
  grep -q "$words" "$TMP/out" || fail "$file: '$words' is not in $(head -n 3 "$TMP/out")"
  sed -n 's/^signature //p' "$TMP/out" >>"$TMP/signatures"
done
[ -z "$(sort "$TMP/signatures" | uniq -d)" ] || fail "two causes are one finding: $(sort "$TMP/signatures" | uniq -d)"

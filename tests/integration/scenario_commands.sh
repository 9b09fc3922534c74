#!/bin/sh
# show, asm and list: round trips, and one clear line with exit status 2 for every kind of bad input.
set -u
cd "$(dirname "$0")/../.." || exit 1
shortfuse=${B:-build}/shortfuse
if [ ! -x "$shortfuse" ]; then
  echo "skipped: $shortfuse is not built"
  exit 77
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

wrong() {
  echo "wrong: $*"
  failed=1
}

# refuses PATTERN ARGUMENT...: exit status 2, nothing on standard output, one line that matches on standard error
refuses() {
  pattern=$1
  shift
  timeout 20 "$shortfuse" "$@" >"$dir/out" 2>"$dir/err" </dev/null
  status=$?
  [ "$status" = 2 ] || wrong "$*: exit status $status, not 2"
  [ ! -s "$dir/out" ] || wrong "$*: wrote to standard output"
  [ "$(wc -l <"$dir/err")" = 1 ] || wrong "$*: not one line: $(cat "$dir/err")"
  grep -q -e "$pattern" "$dir/err" || wrong "$*: not '$pattern' but: $(cat "$dir/err")"
}

# Round trips: text -> bytes -> text, through a file, a folder and standard input.
golden=tests/golden/scenario/everything
"$shortfuse" asm $golden.txt -o "$dir/scenario.bin" || wrong "asm failed"
for file in "$dir/scenario.bin" "$dir" $golden.txt $golden.canonical; do
  "$shortfuse" show "$file" | cmp -s - $golden.canonical || wrong "show $file differs"
done
"$shortfuse" show - <"$dir/scenario.bin" | cmp -s - $golden.canonical || wrong "show - differs"
"$shortfuse" asm "$dir/scenario.bin" -o - | cmp -s - "$dir/scenario.bin" || wrong "asm of bytes differs"
"$shortfuse" show -n $golden.txt | grep -q '^t1: exit 3 *# 14$' || wrong "show -n does not number"

# Any bytes up to the limit are a scenario.
head -c 592 /dev/urandom >"$dir/random"
"$shortfuse" show "$dir/random" >"$dir/random.txt" || wrong "random bytes refused"
"$shortfuse" show "$dir/random.txt" | cmp -s - "$dir/random.txt" || wrong "random bytes do not go round"

# Bad input.
mkdir "$dir/empty-folder"
: >"$dir/empty"
head -c 1048576 /dev/urandom >"$dir/mebibyte"
head -c 593 /dev/zero >"$dir/longer"
printf 'task t0: fork\nt0: opne fd0 f0 rdwr\n' >"$dir/word.txt"
yes '# comment' | head -c 1100000 >"$dir/long.txt"
for command in show "asm -o $dir/never"; do
  # shellcheck disable=SC2086 # two words
  {
    refuses ': No such file' $command "$dir/missing"
    refuses ': the file is empty' $command "$dir/empty"
    refuses ': a directory without a scenario.bin' $command "$dir/empty-folder"
    refuses ': not a scenario: 1048576 bytes, at most 592' $command "$dir/mebibyte"
    refuses ': not a scenario: 593 bytes' $command "$dir/longer"
    refuses ': not a scenario: more than 1048576 bytes' $command "$dir/long.txt"
    refuses 'word.txt:2:5: unknown operation "opne"; did you mean "open"?' $command "$dir/word.txt"
    refuses 'standard input: the file is empty' $command -
  }
done
[ ! -e "$dir/never" ] || wrong "asm wrote a file in spite of bad input"
timeout 20 "$shortfuse" asm $golden.txt -o "$dir/no/such/folder" 2>/dev/null
[ $? = 3 ] || wrong "asm into a missing folder: not 3"
timeout 20 "$shortfuse" show $golden.txt >/dev/full 2>/dev/null
[ $? = 3 ] || wrong "show into a full device: not 3"

# Every list has a row for each name of the tables.
for topic in ops faults verdicts targets coverage; do
  "$shortfuse" list $topic >"$dir/$topic" || wrong "list $topic failed"
done
for word in $(sed -n 's/^OP([0-9]*, [a-z0-9_]*, "\([a-z0-9_]*\)".*/\1/p' harness/scenario/ops.def); do
  grep -q "^$word " "$dir/ops" || wrong "list ops lacks $word"
done
for word in $(sed -n 's/^FAULT([0-9]*, [a-z0-9_]*, "\([a-z0-9_]*\)".*/\1/p' harness/scenario/faults.def); do
  grep -q "^$word " "$dir/faults" || wrong "list faults lacks $word"
done
grep -q '^pinned  *bug ' "$dir/verdicts" || wrong "list verdicts lacks pinned"
grep -q '^host ' "$dir/targets" || wrong "list targets lacks host"
for word in wait ftrace kcov; do
  grep -q "^$word  *\(yes\|no\) " "$dir/coverage" || wrong "list coverage lacks $word"
done
exit $failed

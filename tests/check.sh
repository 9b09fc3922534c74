#!/bin/sh
# Runs every unit test of build/tests (cmocka) and every tests/integration/*.sh; "make check" calls it.
#
#   B=build          build folder
#   ONLY=pattern     only tests whose name matches this shell pattern
#   UNIT_TIMEOUT, INTEGRATION_TIMEOUT   seconds for one program
#   AGAIN=1          a test that failed gets a second try; both are shown, and named at the end
#
# One line each; the whole output of what failed. The last line is "N passed, N failed, N skipped": cmocka tests are
# counted one by one, a script counts as one. Exit status 1 if anything failed.
set -u
cd "$(dirname "$0")/.." || exit 3
B=${B:-build}
ONLY=${ONLY:-*}
UNIT_TIMEOUT=${UNIT_TIMEOUT:-120}
INTEGRATION_TIMEOUT=${INTEGRATION_TIMEOUT:-240}
AGAIN=${AGAIN:-0}
export B
# Theirs is 1 otherwise, which is "flagged" of shortfuse.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1 LSAN_OPTIONS=exitcode=99
mkdir -p "$B"
log=$B/check.log
summary=$B/check.summary
rm -f "$summary"
passed=0
failed=0
skipped=0
unsteady=

# run SECONDS PROGRAM: into $log; sets $status and $ms. The outer timeout ends the inner one even if that waits for
# a program which cannot be killed any more; such tests are what we are about.
run() {
  start=$(date +%s%N)
  timeout -k 5 $(($1 + 20)) timeout -k 10 "$1" "$2" >"$log" 2>&1 </dev/null
  status=$?
  ms=$((($(date +%s%N) - start) / 1000000))
}

# line RESULT NAME REMARK
line() {
  printf '%-5s %-34s %s, %d.%01d s\n' "$1" "$2" "$3" $((ms / 1000)) $((ms % 1000 / 100))
}

why_failed() {
  case $status in
  124 | 137) echo "ran out of time" ;;
  *) echo "exit status $status" ;;
  esac
}

# again SECONDS PROGRAM: the second try of what run has run, if it needs one
again() {
  [ "$AGAIN" = 1 ] && [ "$status" != 0 ] && [ "$status" != 77 ] || return 0
  line again "$name" "$(why_failed)"
  sed 's/^/    /' "$log"
  unsteady="$unsteady $name"
  run "$1" "$2"
}

# The sum of the numbers in cmocka's lines "[  WORD  ] N test(s)"; there is one of each a group.
count() {
  awk -v word="$1" '
    index($0, "[") == 1 && index($0, word) && match($0, /\] [0-9]+ test\(s\)/) {
      sum += substr($0, RSTART + 2) + 0
    }
    END { print sum + 0 }' "$log"
}

unit_test() {
  name=$(basename "$1" .c)
  # shellcheck disable=SC2254 # a pattern
  case $name in $ONLY) ;; *) return ;; esac
  ms=0
  if [ ! -x "$B/tests/$name" ]; then
    failed=$((failed + 1))
    line FAIL "$name" "not built ($B/tests/$name)"
    return
  fi
  run "$UNIT_TIMEOUT" "$B/tests/$name"
  again "$UNIT_TIMEOUT" "$B/tests/$name"
  n_passed=$(count PASSED)
  n_failed=$(count FAILED)
  n_skipped=$(count SKIPPED)
  if [ "$status" = 77 ] && [ $((n_passed + n_failed)) = 0 ]; then
    n_skipped=$((n_skipped ? n_skipped : 1))
  elif [ "$status" != 0 ] && [ "$n_failed" = 0 ]; then
    n_failed=1
  elif [ $((n_passed + n_failed + n_skipped)) = 0 ]; then
    n_failed=1
    echo "no test in it" >>"$log"
  fi
  passed=$((passed + n_passed))
  failed=$((failed + n_failed))
  skipped=$((skipped + n_skipped))
  if [ "$n_failed" != 0 ]; then
    line FAIL "$name" "$n_failed of $((n_passed + n_failed)) failed, $(why_failed)"
    sed 's/^/    /' "$log"
  elif [ "$n_skipped" != 0 ]; then
    line skip "$name" "$n_passed passed, $n_skipped skipped"
    grep -i skip "$log" | grep -v 'test(s)' | sort -u | sed 's/^/    /'
  else
    line ok "$name" "$n_passed passed"
  fi
}

integration_test() {
  name=$(basename "$1")
  # shellcheck disable=SC2254 # a pattern
  case $name in $ONLY) ;; *) return ;; esac
  run "$INTEGRATION_TIMEOUT" "$1"
  again "$INTEGRATION_TIMEOUT" "$1"
  case $status in
  0)
    passed=$((passed + 1))
    line ok "$name" passed
    ;;
  77)
    skipped=$((skipped + 1))
    line skip "$name" "$(tail -n 1 "$log" | grep . || echo 'no reason given')"
    ;;
  *)
    failed=$((failed + 1))
    line FAIL "$name" "$(why_failed)"
    sed 's/^/    /' "$log"
    ;;
  esac
}

for test in tests/unit/test_*.c; do
  [ -e "$test" ] && unit_test "$test"
done
for test in tests/integration/*.sh; do
  [ -x "$test" ] && integration_test "$test"
done
[ -z "$unsteady" ] || echo "needed a second try:$unsteady"
echo "$passed passed, $failed failed, $skipped skipped" | tee "$summary"
[ "$failed" = 0 ]

#!/bin/sh
# Formatting and static checks; "make lint" calls it. Tools that are not installed are named and left out.
# shellcheck disable=SC2317 # functions that check() calls by name
set -u
cd "$(dirname "$0")/.." || exit 3
bad=0

files() {
  git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
    [ -f "$file" ] && echo "$file"
  done
}

# check NAME COMMAND...: runs it, tells a failure.
check() {
  name=$1
  shift
  if ! command -v "$1" >/dev/null; then
    echo "lint: $name skipped: $1 is not installed"
  elif "$@"; then
    echo "lint: $name ok"
  else
    echo "lint: $name FAILED"
    bad=1
  fi
}

# One line a file: the differences themselves are what clang-format would change.
format() {
  unformatted=0
  for file; do
    clang-format --dry-run -Werror "$file" 2>/dev/null && continue
    echo "$file: not formatted; clang-format -i does it"
    unformatted=1
  done
  return "$unformatted"
}

length() {
  files '*.c' '*.h' '*.S' '*.def' '*.sh' '*.py' .ci/run targets/build-kernel | xargs wc -l |
    awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines, 500 are the limit"; bad = 1 }
      END { exit bad }'
}

spdx() {
  files '*.c' '*.h' '*.S' '*.def' | {
    missing=0
    while read -r file; do
      head -n 1 "$file" | grep -qE "^(//|/[*]) SPDX-License-Identifier: MIT( [*]/)?$" && continue
      echo "$file:1: the SPDX line is missing"
      missing=1
    done
    return "$missing"
  }
}

# shellcheck disable=SC2046 # no blanks in our file names
if command -v clang-format >/dev/null; then
  # The worked example is what "export" writes.
  check format format $(files '*.c' '*.h' ':!docs/pidns-flush.c')
else
  echo "lint: format skipped: clang-format is not installed"
fi
# shellcheck disable=SC2046
check shellcheck shellcheck -S warning $(files '*.sh' .ci/run targets/build-kernel)
# Suppressed: the X-macro files are not C by themselves; the ends of an embedded file are two symbols; gcc finds
# uninitialised variables with fewer false alarms; two clocks may start at one time.
# shellcheck disable=SC2046
check cppcheck cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
  --suppress=preprocessorErrorDirective --suppress=unknownMacro --suppress=comparePointers \
  --suppress=uninitvar --suppress=uninitStructMember --suppress=duplicateAssignExpression \
  -D_GNU_SOURCE -I. $(files '*.c')
check length length
check spdx spdx
exit $bad

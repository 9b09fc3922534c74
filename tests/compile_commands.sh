#!/bin/sh
# Prints a compilation database: tests/compile_commands.sh "CC FLAGS" FILE...
set -eu
cc=$1
shift
sep='['
for file; do
  printf '%s\n{"directory": "%s", "file": "%s", "command": "%s -c %s"}' "$sep" "$PWD" "$file" \
    "$(printf '%s' "$cc" | sed 's/"/\\"/g')" "$file"
  sep=','
done
printf '\n]\n'

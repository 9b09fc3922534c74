#!/bin/sh
# Three power cuts while a campaign runs; "CUTS=100 tests/power/cut.sh" makes more.
exec "$(dirname "$0")/../power/cut.sh"

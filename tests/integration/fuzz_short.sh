#!/bin/sh
# A short campaign on this machine's kernel: it finds a bug, afl-whatsup accepts its folder, nothing stays behind. What
# others on this machine run is not looked at: executors go by a name of their own, connections by their dead owner.
. "$(dirname "$0")/lib.sh"
need_fuse
command -v afl-fuzz > /dev/null || { echo "skipped: afl-fuzz is not installed"; exit 77; }
! sanitised || { echo "skipped: afl-fuzz cannot load a sanitised mutator (SAN=1)"; exit 77; }
own_executor
dir=$TMP/dir
out=$dir/campaign
mkdir "$dir"
# What shortfuse makes in the folder for temporary files is its own, too.
mkdir "$TMP/scratch"
export TMPDIR="$TMP/scratch"

fail() { echo "FAIL: $*"; sed 's/^/  | /' "$dir/log"; exit 1; }

"$SF" fuzz --target host --time 20s --seed 1 --quiet -o "$out" > "$dir/log" 2>&1
status=$?
[ $status = 1 ] || fail "exit status $status, expected 1 (flagged)"
grep -q ' runs (' "$dir/log" || fail "no status line"
grep -q 'distinct bug' "$dir/log" || fail "no summary"
set -- "$out"/findings/bug/*/
[ -d "$1" ] || fail "no bug in 20 s"
for file in scenario.bin scenario.txt finding.json snapshot.json snapshot.txt graph.dot kmsg.txt repro.sh; do
  [ -e "$1/$file" ] || fail "$1 has no $file"
done
python3 -m json.tool "$1/snapshot.json" >/dev/null || fail "$1/snapshot.json is no JSON"
# Its page: one row a cause, in colours of their own for phone and dark, under a megabyte; plots of the campaign's counters.
"$SF" report "$out" -o "$dir/page.html" > "$dir/report.log" 2>&1 || fail "no page: $(cat "$dir/report.log")"
[ "$(stat -c %s "$dir/page.html")" -lt 1000000 ] || fail "the page is $(stat -c %s "$dir/page.html") bytes"
python3 - "$out" "$dir/page.html" << 'PY' || fail "the page does not show what is in the folder"
import glob, html.parser, json, re, sys
found = [json.load(open(path)) for path in glob.glob(f"{sys.argv[1]}/findings/*/*/finding.json")]
page = open(sys.argv[2]).read()
class Parser(html.parser.HTMLParser):
    ids, links, rows, plots = set(), [], 0, 0
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        self.links += [attrs["href"][1:]] if tag == "a" and attrs.get("href", "").startswith("#") else []
        self.plots += attrs.get("class") == "plot"
parser = Parser()
parser.feed(page)
causes = len({f["roots"] or f["id"] for f in found})
assert len(parser.links) == causes, (len(parser.links), causes)
assert set(parser.links) <= parser.ids, "a row leads nowhere"
assert {f["id"] for f in found} <= parser.ids, "a finding is not on the page"
assert parser.plots >= 3, parser.plots
assert "prefers-color-scheme:dark" in page and "max-width:40rem" in page and 'name="viewport"' in page
assert len(open(f"{sys.argv[1]}/stats.tsv").readlines()) >= 5
PY
afl-whatsup -s "$out/afl" 2>/dev/null | grep -q 'Summary stats' || fail "afl-whatsup does not accept $out/afl"
left() {
  ! grep -q fuse.shortfuse /proc/self/mountinfo || echo "a mount"
  [ -z "$(leftovers)" ] || echo "connection $(leftovers)"
  [ "$(executors)" = 0 ] || echo "an executor"
  [ -z "$(ls -A "$TMPDIR")" ] || echo "$(ls -A "$TMPDIR") in $TMPDIR"
}
for _ in $(seq 50); do
  [ -n "$(left)" ] || break
  sleep 0.1
done
[ -z "$(left)" ] || fail "stayed behind: $(left)"
grep -h -e ' runs,' -e 'distinct' "$dir/log"

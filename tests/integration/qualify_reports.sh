#!/bin/sh
# Reports in the hands of those who read them: the kernel's KTAP parser, a JUnit parser, KCIDB's schema, a browser.
# Who is not there is named; the rest is checked all the same. The page of a campaign goes to the browser, too.
. "$(dirname "$0")/lib.sh"
FK=$B/shortfuse-fake-kernels
missing() { echo "left out: $*"; }

printf 'hangs/exit-*  2999-12-31  ticket 1\n' > "$TMP/known"
want 1 "$FK" qualify --kernel bad --kernel broken --kernel flaky --baseline good -o "$TMP/q" --known "$TMP/known" \
  --ktap "$TMP/r.ktap" --junit "$TMP/r.xml" --kcidb "$TMP/r.kcidb" --json "$TMP/r.json" --html "$TMP/r.html"
rows=$(ls corpus/*/*.txt | wc -l)
cmp -s "$TMP/r.html" "$TMP/q/report.html" || fail "--html is another page than report.html"
# A campaign with findings, on a target that only pretends.
want 1 "$B/shortfuse-fake" fuzz --target host --blind --seed 5 --time 3s -o "$TMP/campaign"
want 0 "$SF" report "$TMP/campaign"
grep -q '<svg' "$TMP/campaign/report.html" || fail "the page of a campaign has no plot"

python3 - "$TMP" "$rows" << 'EOF' || fail "structure"
import json, sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
tmp, rows = sys.argv[1], int(sys.argv[2])
q = json.load(open(tmp + "/r.json"))
states = [j["state"] for r in q["rows"] for j in r["judged"]]
assert q["verdict"] == "REGRESSION" and len(q["rows"]) == rows and len(states) == 3 * rows
assert states.count("untested") == rows and "worse" in states and "known" in states
root = ET.parse(tmp + "/r.xml").getroot()
assert root.tag == "testsuites" and int(root.get("tests")) == 3 * rows
for suite in root:
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests")) == rows
    for tag, key in ("failure", "failures"), ("error", "errors"), ("skipped", "skipped"):
        assert sum(c.find(tag) is not None for c in cases) == int(suite.get(key)), (suite.get("name"), tag)
assert len(root.findall(".//failure")) == states.count("worse")
assert len(root.findall(".//error")) == states.count("untested")
VOID = {"meta", "br"}
class Check(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags = [], set()
    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag
for page in "/r.html", "/campaign/report.html":
    check = Check()
    check.feed(open(tmp + page).read())
    assert not check.open and not check.tags & {"script", "link", "img", "iframe"}, page
EOF

# The kernel's own parser.
kunit=$(ls -d /usr/src/linux-source-*/tools/testing/kunit/kunit.py 2> /dev/null | head -n 1)
archive=$(ls /usr/src/linux-source-*.tar.xz 2> /dev/null | head -n 1)
if [ -z "$kunit" ] && [ -n "$archive" ]; then
  timeout 120 tar -C "$TMP" -xf "$archive" --wildcards '*/tools/testing/kunit/*' &&
    kunit=$(ls "$TMP"/linux-source-*/tools/testing/kunit/kunit.py)
fi
if [ -n "$kunit" ]; then
  python3 "$kunit" parse "$TMP/r.ktap" > "$TMP/kunit" 2>&1
  grep -q "Ran $((3 * rows)) tests" "$TMP/kunit" || { tail -n 5 "$TMP/kunit"; fail "kunit.py does not count $((3 * rows)) tests"; }
  ! grep -q -e ERROR -e CRASHED "$TMP/kunit" || { grep -e ERROR -e CRASHED "$TMP/kunit"; fail "kunit.py complains"; }
  failed=$(grep -c '^  not ok' "$TMP/r.ktap")
  grep -q "failed: $failed" "$TMP/kunit" || { tail -n 1 "$TMP/kunit"; fail "kunit.py does not see $failed failures"; }
else
  missing "kunit.py (Debian package linux-source-6.1)"
fi

schema=${KCIDB_SCHEMA:-../shared/kcidb-v5.3.schema.json}
if [ -e "$schema" ] && python3 -c 'import jsonschema' 2> /dev/null; then
  python3 - "$TMP/r.kcidb" "$schema" << 'EOF' || fail "KCIDB's schema does not accept the report"
import json, jsonschema, sys
report, schema = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.validate(report, schema, format_checker=jsonschema.FormatChecker())
builds = {b["id"] for b in report["builds"]}
tests = {t["id"] for t in report["tests"]}
assert len(tests) == len(report["tests"]) and all(t["build_id"] in builds for t in report["tests"])
assert {i["test_id"] for i in report["incidents"]} <= tests and report["incidents"]
assert {t["status"] for t in report["tests"]} == {"PASS", "FAIL", "ERROR"}
EOF
else
  missing "KCIDB's schema (../shared/kcidb-v5.3.schema.json, Debian package python3-jsonschema)"
fi

if command -v node > /dev/null && node -e 'require.resolve("test-results-parser")' 2> /dev/null; then
  node -e 'const r = require("test-results-parser").parse({type: "junit", files: [process.argv[1]]});
    console.log(r.total, r.failed, r.errors)' "$TMP/r.xml" > "$TMP/node" || fail "the JUnit parser fails"
  grep -q "^$((3 * rows)) $(grep -c '<failure' "$TMP/r.xml") $rows$" "$TMP/node" ||
    { cat "$TMP/node"; fail "the JUnit parser counts otherwise"; }
else
  missing "a JUnit parser (node with the npm package test-results-parser in NODE_PATH)"
fi

# looks_well NAME PAGE: not wider than a phone, in the light and in the dark, and not empty.
looks_well() {
  # The page itself has no script; this copy measures whether it is wider than a small window.
  sed -e 's/<meta http-equiv[^>]*>//' -e 's/<details/<details open/' \
    -e 's#</body>#<script>document.body.id = document.documentElement.scrollWidth <= innerWidth ? "fits" : "too-wide"</script></body>#' \
    "$2" > "$TMP/measure.html"
  browser --window-size=390,800 --dump-dom "file://$TMP/measure.html" > "$TMP/dom"
  grep -q '<body id="fits"' "$TMP/dom" || { grep -o '<body[^>]*>' "$TMP/dom"; fail "$1 is wider than a phone"; }
  browser --window-size=390,1200 --screenshot="$TMP/$1.png" "file://$2"
  browser --window-size=390,1200 --blink-settings=preferredColorScheme=0 --screenshot="$TMP/$1-dark.png" "file://$2"
  for shot in "$TMP/$1.png" "$TMP/$1-dark.png"; do
    [ "$(stat -c %s "$shot" 2> /dev/null || echo 0)" -gt 20000 ] || fail "$1 renders to nothing"
  done
  ! cmp -s "$TMP/$1.png" "$TMP/$1-dark.png" || fail "$1 is not dark in the dark"
  [ -z "${SHOTS:-}" ] || cp "$TMP/$1.png" "$TMP/$1-dark.png" "$SHOTS" # for people
}

if command -v chromium > /dev/null; then
  browser() { timeout 60 chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$TMP/profile" "$@" 2> /dev/null; }
  looks_well qualification "$TMP/r.html"
  looks_well campaign "$TMP/campaign/report.html"
else
  missing "chromium"
fi

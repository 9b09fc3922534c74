#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hangs of real FUSE servers, made on purpose, and a judge of what "shortfuse diagnose" says and does about them.

gallery.py [--looks N] [--at-once N] [--seed N] [--only WORD] [--no-busy]
One scene is a server in some state; a round makes up to N scenes at once, beside busy healthy mounts. Each look is checked
against what was made: its state, its connection, its cause; then --unwedge, and what it did to everything else.
Only connections made here are judged and aborted; --unwedge is always limited to the client of one scene.
Exit status 1: something was judged wrong. 77: nothing could be made."""
import argparse, json, os, random, shutil, signal, subprocess, sys, time

from scene import BUILD, HERE, QUIET, TOP, Scene
from servers import QUICK, SERVERS, loop_image, scenes

SF = os.environ.get("SF") or os.path.join(BUILD, "shortfuse")
FLAGS = ["--age", "1", "--patience", "3"]


class Busy:
    """Healthy mounts with clients that never stop; any error of theirs is harm."""

    def __init__(self, names):
        self.scene, self.log, self.procs = Scene("busy"), os.path.join(TOP, "busy.log"), []
        for name in names:
            if name not in SERVERS or any(not (shutil.which(n) or os.path.exists(n)) for n in SERVERS[name][0]):
                continue
            sub = Scene("busy_" + name)
            _, point, _ = SERVERS[name][1](sub)
            self.scene.procs += sub.procs
            self.scene.points += sub.points
            self.scene.conns.update(sub.conns)
            work = ('cd "$1" || exit 1; git init -q g 2>>"$2"; while :; do '
                    'dd if=/dev/zero of=d bs=4k count=64 conv=fsync 2>/dev/null || echo "dd failed in $1" >>"$2"; '
                    'find . >/dev/null || echo "find failed in $1" >>"$2"; '
                    'if [ -d g ]; then git -C g status --short >/dev/null || echo "git failed in $1" >>"$2"; fi; sleep 0.05; done')
            self.procs.append(subprocess.Popen(["nice", "sh", "-c", work, "sh", point, self.log], **QUIET))

    def harm(self):
        text = open(self.log).read() if os.path.exists(self.log) else ""
        return text.strip()

    def end(self):
        for proc in self.procs:
            proc.kill()
            proc.wait()
        self.scene.end()


def diagnose(*args):
    done = subprocess.run([SF, "diagnose", *FLAGS, *args], capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout, done.stderr


def by_number(text):
    return {c["number"]: c for c in json.loads(text)["connections"] if c["number"]}


def root_of(conns, number):
    seen = set()
    while number in conns and conns[number]["behind"] not in (None, number) and number not in seen:
        seen.add(number)
        number = conns[number]["behind"]
    return number


class Tally:
    def __init__(self):
        self.rows, self.wrong = {}, []

    def add(self, name, **what):
        row = self.rows.setdefault(name, dict(looks=0, right=0, wedged=0, found=0, freeable=0, freed=0))
        for key, value in what.items():
            row[key] += bool(value)

    def print(self):
        keys = ("looks", "right", "wedged", "found", "freeable", "freed")
        print("%-42s" % "scene" + "".join("%9s" % k for k in keys))
        total = dict.fromkeys(keys, 0)
        for name in sorted(self.rows):
            print("%-42s" % name + "".join("%9d" % self.rows[name][k] for k in keys))
            for k in keys:
                total[k] += self.rows[name][k]
        print("%-42s" % "all" + "".join("%9d" % total[k] for k in keys))


def judge(name, made, conns, tally):
    client, number, want, cause, _, *more = made
    got = conns.get(number)
    state = got["state"] if got else None
    why = None
    if want == "wedged" and state != "wedged":
        why = "is %s, not wedged" % state
    elif want == "stalled" and state not in ("stalled",):
        why = "is %s, not stalled" % state
    elif want in (None, "alive") and state in (("wedged", "stalled") if want is None else ("wedged",)):
        why = "is called " + state
    elif cause is not None and root_of(conns, number) not in (cause if isinstance(cause, set) else {cause}):
        why = "its cause is said to be %s, not %s" % (root_of(conns, number), cause)
    elif more and got["waiting_tasks"] < more[0]:
        why = "has %d tasks, not %d" % (got["waiting_tasks"], more[0])
    if why:
        tally.wrong.append("%s: connection %d %s: %s" % (name, number, why, json.dumps(got and {
            k: got[k] for k in ("state", "reason", "why", "behind")})))
    tally.add(name, looks=1, right=not why, wedged=want == "wedged", found=want == "wedged" and state == "wedged")


def alive():
    return set(os.listdir("/sys/fs/fuse/connections"))


def try_unwedge(name, scene, made, others, tally):
    """--unwedge of one client. Nothing but the culprits of this scene may be aborted."""
    client, number, want, cause, frees = made[:5]
    if client is None:
        return
    args = ["--pid", str(client.pid)] if client.poll() is None else ["--connection", str(number)]
    status, text, err = diagnose("--unwedge", *args)
    aborted = {int(l.split()[2].rstrip(":")) for l in text.splitlines() if l.startswith("aborting connection")}
    allowed = (cause if isinstance(cause, set) else {cause}) if frees else set()
    if aborted - allowed:
        tally.wrong.append("%s: aborted %s, of which only %s may be" % (name, aborted, allowed))
    if frees:
        try:
            client.wait(5)
            freed = True
        except subprocess.TimeoutExpired:
            freed = name == "netflix" and "aborting" in text
        if not freed or status != 0:
            tally.wrong.append("%s: --unwedge: status %d, freed: %s: %s" % (name, status, freed, text[-600:] + err))
        tally.add(name, freeable=1, freed=freed)
    for point, other in others.items():
        if str(other) not in alive():
            tally.wrong.append("%s: connection %d (%s) is gone" % (name, other, point))


def a_round(names, have, busy, tally):
    made = []
    try:
        for name in names:
            scene = Scene(name.replace(",", "").replace("/", "_"))
            made.append([name, scene, None])
            try:
                made[-1][2] = have[name](scene)
            except (RuntimeError, OSError, subprocess.CalledProcessError) as err:
                print("gallery: %s could not be made: %s" % (name, err))
        time.sleep(3.5 if any("ticks" in n for n in names) else 2.5)
        status, text, err = diagnose("--json")
        if status > 1:
            tally.wrong.append("diagnose: status %d: %s" % (status, err))
            return
        conns = by_number(text)
        if busy:
            for point, number in busy.scene.conns.items():
                if conns.get(number, {}).get("state") in ("wedged", "stalled"):
                    tally.wrong.append("busy %s is called %s: %s" % (point, conns[number]["state"], conns[number]["why"]))
        for name, scene, what in made:
            if what:
                judge(name, what, conns, tally)
        for name, scene, what in made:
            if not what:
                continue
            others = {p: n for _, s, _ in made if s is not scene for p, n in s.conns.items() if str(n) in alive()}
            if busy:
                others.update(busy.scene.conns)
            try_unwedge(name, scene, what, others, tally)
    finally:
        for _, scene, _ in reversed(made):
            scene.end()


def prepare():
    if os.geteuid() or not os.path.exists("/dev/fuse"):
        print("needs root and /dev/fuse")
        sys.exit(77)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-O1", "-o", TOP + "/odd", HERE + "/odd.c", "-pthread", *flags], check=True)
    if not os.path.ismount("/sys/fs/fuse/connections"):
        subprocess.run(["mount", "-t", "fusectl", "fusectl", "/sys/fs/fuse/connections"], **QUIET)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--looks", type=int, default=0, help="about so many looks; default: every scene once")
    ap.add_argument("--at-once", type=int, default=3)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--only", help="scenes with this word in their name")
    ap.add_argument("--quick", action="store_true", help="a few scenes, once")
    ap.add_argument("--no-busy", action="store_true")
    ap.add_argument("--seconds", type=float, default=1e9, help="begin no round after this time")
    opt = ap.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    prepare()
    have, missing = scenes()
    for line in missing:
        print("left out: " + line)
    names = [n for n in have if (not opt.only or opt.only in n) and (not opt.quick or n in QUICK)]
    if any("loop" in n for n in names):
        loop_image()
    if not names:
        print("no such scene can be made here")
        sys.exit(77)
    rng, tally = random.Random(opt.seed), Tally()
    todo = list(names)
    while len(todo) < opt.looks:
        todo += names
    rng.shuffle(todo)
    todo = todo[:opt.looks] if opt.looks else todo
    busy = None if opt.no_busy else Busy(["bindfs", "sshfs"])
    begin, done = time.time(), 0
    try:
        for at in range(0, len(todo), opt.at_once):
            if time.time() - begin > opt.seconds:
                break
            done = min(at + opt.at_once, len(todo))
            a_round(todo[at:at + opt.at_once], have, busy, tally)
            if sys.stderr.isatty():
                print("%d of %d looks, %d wrong" % (at, len(todo), len(tally.wrong)), end="\r", file=sys.stderr)
        if busy and busy.harm():
            tally.wrong.append("busy: " + busy.harm())
    finally:
        if busy:
            busy.end()
        shutil.rmtree(TOP, ignore_errors=True)
    tally.print()
    for line in tally.wrong:
        print("WRONG " + line)
    print("%d looks in %.0f s, %d wrong" % (done, time.time() - begin, len(tally.wrong)))
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()

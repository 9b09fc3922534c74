#!/usr/bin/env python3
# Which functions of a kernel can wait and are not known to harness/explain/waits*.c?
# usage: tests/bench/new_waits.py LINUX-SOURCE [FILE...]      default: fs/fuse and what lies behind its requests
# Exit status 1: fs/fuse has such a function ("this kernel has new FUSE waits").
import json, os, re, subprocess, sys, tempfile

FILES = """fs/fuse fs/super.c fs/namespace.c fs/dcache.c fs/inode.c fs/locks.c fs/coredump.c fs/fs-writeback.c
fs/eventpoll.c fs/overlayfs io_uring mm/filemap.c mm/truncate.c mm/page-writeback.c""".split()
WAITS = re.compile(r"\b(wait_event\w*|wait_var_event\w*|wait_for_completion\w*|io_schedule|schedule|"
                   r"mutex_lock(_\w+)?|down_(read|write)(_nested|_killable)?|inode_lock(_\w+)?|"
                   r"folio_lock(_\w+)?|lock_page|locks_lock_\w*wait|flush_work)\(")
HEAD = re.compile(r"^[A-Za-z_][^;]*?\b(\w+)\([^;]*$")
INLINE = re.compile(r"^(static )?(__always_)?inline\b|\binline\b")
OTHER = {"SYSCALL_DEFINE1", "SYSCALL_DEFINE2", "SYSCALL_DEFINE3", "SYSCALL_DEFINE4", "SYSCALL_DEFINE5", "SYSCALL_DEFINE6"}


def functions(path):
    name, inline = None, False
    for line in open(path, errors="replace"):
        head = HEAD.match(line)
        if head and not line.startswith(("#", "EXPORT", "DEFINE", "MODULE")):
            name, inline = head.group(1), bool(INLINE.search(line))
        elif name and name not in OTHER and not inline and line[:1] in "\t " and WAITS.search(line) and \
                not line.strip().startswith(("*", "//", "/*")):
            yield name


def known(program, frame):
    task = {"tid": 200, "pid": 200, "ppid": 1, "inner_tid": 200, "tracer": 0, "pidns": 1, "actor": "", "role": "worker",
            "state": "D", "vanished": False, "flags": 0, "exiting": False, "sigpnd": "0x0", "shdpnd": "0x0",
            "sigblk": "0x0", "switches": 4, "threads": 1, "comm": "x", "wchan": frame, "syscall": -1,
            "args": ["0x0"] * 6, "sp": "0x0", "pc": "0x0", "kstack": [frame + "+0x1/0x2"], "ustack": [],
            "ustack_note": "", "dev_fd": -1, "unote": ""}
    snap = {"release": "0", "rung": "daemon", "connection": {"number": 1, "exists": True, "waiting": 1, "daemon_pid": 0,
            "daemon_alive": False, "ledger": False}, "tasks": [task], "requests": []}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(snap, file)
        file.flush()
        text = subprocess.run([program, "diagnose", "--from", file.name], capture_output=True, text=True).stdout
    return "something unknown" not in text


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: new_waits.py LINUX-SOURCE [FILE...]")
    source, program = sys.argv[1], os.path.join(os.environ.get("B", "build"), "shortfuse")
    fuse = 0
    for name in sys.argv[2:] or FILES:
        path = os.path.join(source, name)
        files = [os.path.join(path, f) for f in sorted(os.listdir(path)) if f.endswith(".c")] \
            if os.path.isdir(path) else [path]
        for file in filter(os.path.exists, files):
            unknown = sorted(f for f in set(functions(file)) if not known(program, f))
            fuse += len(unknown) * ("/fuse/" in file)
            if unknown:
                print(os.path.relpath(file, source) + ":", " ".join(unknown))
    print(f"{fuse} new FUSE waits" if fuse else "no new FUSE waits")
    sys.exit(fuse > 0)


main()

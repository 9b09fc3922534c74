#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which known classes of hangs did a campaign find, and which of its findings are none of them?

  tests/bench/classes.py RESULTS_FOLDER...

A class is known by the frames of a task in a finding's snapshot.json (corpus/hangs/ holds one scenario of
each). A finding may show several; classes whose root is the same have one signature, and only the first
snapshot of a signature is kept, so a class that is missing here may have been hidden by another. Prints a table per class: findings, when the first one came, its
signature; then the findings that are in no class, with their reasons. Exit status 1: a class was not found.
"""
import collections
import json
import os
import re
import sys

FLUSH = r"fuse_flush"
WRITEBACK = (r"write_inode_now|folio_wait_writeback|fuse_sync_writes|fuse_set_nowrite|fuse_wait_on_page"
             r"|__filemap_fdatawait|wait_on_page_writeback|wait_on_page_bit")
REQUEST = r"request_wait_answer|__fuse_request_send|fuse_simple_request|__fuse_simple_request"
READING = (r"fuse_read_folio|fuse_readpage|fuse_readahead|fuse_do_readpage|fuse_do_readfolio|fuse_send_read"
           r"|filemap_read|folio_wait_bit|filemap_fault|fuse_file_read_iter|generic_file_read_iter")
DUP = r"do_dup2|ksys_dup3|__x64_sys_dup|sys_dup[23]|close_range|do_close_on_exec"


class Task:
    """One task of a snapshot: its frames as one text, innermost first."""

    def __init__(self, task, snapshot):
        self.stack = " < ".join(re.sub(r"\+0x.*|\.(part|constprop|isra).*", "", frame)
                                for frame in task["kstack"])
        self.pid, self.tid, self.state = task["pid"], task["tid"], task["state"]
        self.role, self.exiting = task["role"], task["exiting"]
        self.in_exit = self.has(r"\bdo_exit\b")
        self.leader_gone = any(t["tid"] == t["pid"] == self.pid and t["state"] in "ZX"
                               for t in snapshot["tasks"]) and self.tid != self.pid
        self.serves = self.role in ("daemon", "server")

    def has(self, *patterns):
        return all(re.search(pattern, self.stack) for pattern in patterns)


def pidns_flush(task, snapshot):
    init_waits = any("zap_pid_ns_processes" in frame
                     for other in snapshot["tasks"] for frame in other["kstack"])
    return snapshot["verdict"] == "pinned" and init_waits and task.serves and \
        task.in_exit and task.has(FLUSH)


CLASSES = {
    "pidns-flush": pidns_flush,
    "exit-flush": lambda t, s: t.in_exit and t.has(REQUEST, FLUSH) and not t.serves,
    "close-flush": lambda t, s: not t.in_exit and t.has(REQUEST, FLUSH) and not t.has(DUP) and
    not t.has(r"begin_new_exec|execve"),
    "dup-flush": lambda t, s: not t.in_exit and t.has(FLUSH) and t.has(DUP),
    "exit-writeback": lambda t, s: t.in_exit and t.has(FLUSH) and t.has(WRITEBACK),
    "exit-mmap": lambda t, s: t.in_exit and t.has(r"fuse_vma_close|exit_mmap"),
    "zombie-leader": lambda t, s: t.leader_gone and t.has(REQUEST) and not t.in_exit,
    "exec-from-fuse": lambda t, s: t.has(r"bprm_execve|do_execve|load_elf|exec_binprm|kernel_read") and
    t.has(READING),
    "never-answered": lambda t, s: not t.in_exit and
    t.has(REQUEST, r"fuse_lookup_name|fuse_do_getattr|fuse_do_open|fuse_send_open|create_new_entry"
          r"|fuse_create_open|fuse_statfs|fuse_.*xattr|fuse_fsync|fuse_do_setattr|fuse_unlink|fuse_rename"),
    "dir-convoy": lambda t, s: not t.has(REQUEST) and
    t.has(r"fuse_lock_inode|do_unlinkat|filename_create|iterate_dir|lock_rename|walk_component|"
          r"open_last_lookups|lookup_slow") and not t.has("d_alloc_parallel|d_wait_lookup"),
    "in-lookup": lambda t, s: t.has(r"d_alloc_parallel|d_wait_lookup"),
    "folio-lock": lambda t, s: t.has(r"invalidate_inode_pages2|truncate_inode_pages|truncate_pagecache"
                                     r"|__folio_lock|__lock_page"),
    "self-access": lambda t, s: t.serves and not t.in_exit and t.has(REQUEST),
    "lock-wait": lambda t, s: t.has(REQUEST, r"fuse_setlk|fuse_file_flock|fuse_file_lock"),
    "poll-epoll": lambda t, s: t.has(r"fuse_file_poll"),
    "mmap-fault": lambda t, s: t.has(r"filemap_fault|do_fault|handle_mm_fault") and t.has(READING) and
    not t.has(r"execve"),
}


def classes_of(snapshot):
    tasks = [Task(task, snapshot) for task in snapshot["tasks"]]
    return {name for name, test in CLASSES.items() if any(test(task, snapshot) for task in tasks)}


def first_seen(folder):
    """signature -> (seconds, runs)"""
    seen = {}
    try:
        with open(f"{folder}/findings.tsv") as file:
            for line in file:
                seconds, runs, signature = line.split("\t")[:3]
                seen.setdefault(signature, (int(seconds), int(runs)))
    except FileNotFoundError:
        pass
    return seen


def findings(folder):
    for section in ("bug", "contract"):
        base = f"{folder}/findings/{section}"
        for name in sorted(os.listdir(base)) if os.path.isdir(base) else ():
            with open(f"{base}/{name}/snapshot.json") as file:
                yield name, section, json.load(file)


def report(folder):
    seen = first_seen(folder)
    never = (float("inf"), float("inf"))
    found, alien = collections.defaultdict(list), []
    n = 0
    for name, section, snapshot in findings(folder):
        n += 1
        known = classes_of(snapshot)
        for what in known:
            found[what].append((seen.get(name, never), name))
        if not known:
            alien.append((seen.get(name, never), name, section, snapshot["reason"]))
    print(f"{folder}: {n} findings\n")
    print(f"  {'class':<16}{'findings':>9}{'first after':>14}{'runs':>9}  signature")
    for what in CLASSES:
        if not found[what]:
            print(f"  {what:<16}{'-':>9}")
            continue
        (seconds, runs), name = min(found[what])
        when = f"{seconds:>12} s{runs:>9}" if runs != never[1] else f"{'?':>14}{'?':>9}"
        print(f"  {what:<16}{len(found[what]):>9}{when}  {name}")
    print(f"\n  {sum(1 for what in CLASSES if found[what])} of {len(CLASSES)} classes; "
          f"{len(alien)} findings are in none:")
    for (seconds, _), name, section, reason in sorted(alien):
        print(f"  {name} ({section}, after {seconds} s)\n    {reason}")
    return all(found[what] for what in CLASSES)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    sys.exit(0 if all([report(folder) for folder in sys.argv[1:]]) else 1)

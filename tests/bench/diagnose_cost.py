#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What one look of "shortfuse diagnose" costs beside many tasks and mounts: time, system calls (strace), memory.

diagnose_cost.py [TASKS[:STUCK]...]    default: 10 1000 10000 10:1000; each with 100 mounts, one of which has a stopped server"""
import os, shutil, signal, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from scene import BUILD, HERE, TOP, Scene  # noqa: E402
from servers import odd  # noqa: E402

SF = os.environ.get("SF") or os.path.join(BUILD, "shortfuse")
MOUNTS = 100
THREADS = 100  # of one process of the crowd
IDLE = "import signal,sys,threading\nfor _ in range(int(sys.argv[1])-1): threading.Thread(target=threading.Event().wait,daemon=True).start()\nsignal.pause()"
HUNG = "import os,sys\nfor _ in range(int(sys.argv[1])-1):\n  if os.fork()==0: break\nos.stat(sys.argv[2]+str(os.getpid()))"


def start(code, *args):
    return subprocess.Popen([sys.executable, "-S", "-c", code, *map(str, args)],
                            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def crowd(n):
    return [start(IDLE, min(THREADS, n - at)) for at in range(0, n, THREADS)]


def syscalls(argv):
    if not shutil.which("strace"):
        return "-"
    subprocess.run(["strace", "-f", "-c", "-S", "calls", "-o", TOP + "/calls", *argv], stdout=subprocess.DEVNULL)
    for line in open(TOP + "/calls"):
        if line.rstrip().endswith("total"):
            return line.split()[3]  # % time, seconds, us/call, calls
    return "-"


def row(tasks, stuck, point):
    procs = crowd(tasks)
    if stuck:
        procs.append(start(HUNG, stuck, point + "/f"))
    time.sleep(1 + tasks / 2000 + stuck / 500)
    argv = [SF, "diagnose", "--age", "1", "--json"]
    best, cpu, rss = 1e9, 1e9, 0
    for _ in range(3):
        begin = time.monotonic()
        proc = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(proc.pid, 0)
        best, rss = min(best, time.monotonic() - begin), max(rss, usage.ru_maxrss)
        cpu = min(cpu, usage.ru_utime + usage.ru_stime)
    threads = sum(len(os.listdir("/proc/%s/task" % p)) for p in os.listdir("/proc") if p.isdigit() and os.path.isdir("/proc/%s/task" % p))
    print("%8d %8d %8d %9.0f ms %9.0f ms %9s %8.1f MB" %
          (threads, stuck, MOUNTS, best * 1000, cpu * 1000, syscalls(argv), rss / 1024), flush=True)
    # Those that hang may stay until the scene has ended.
    for proc in procs:
        os.killpg(proc.pid, 9)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    subprocess.run(["cc", "-O1", "-o", TOP + "/odd", HERE + "/odd.c", "-pthread",
                    *subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], capture_output=True, text=True).stdout.split()], check=True)
    scene = Scene("cost")
    try:
        for i in range(MOUNTS):
            proc, point, _ = odd(scene, "m%d" % i, ["-s"])
        proc.send_signal(19)
        scene.client("os.stat(sys.argv[1])", point + "/f")
        print("%8s %8s %8s %12s %12s %9s %11s" % ("threads", "stuck", "mounts", "one look", "CPU time", "syscalls", "memory"))
        for arg in sys.argv[1:] or ["10", "1000", "10000", "10:1000"]:
            tasks, _, stuck = arg.partition(":")
            row(int(tasks), int(stuck or 0), point)
    finally:
        scene.end()
        shutil.rmtree(TOP, ignore_errors=True)


if __name__ == "__main__":
    main()

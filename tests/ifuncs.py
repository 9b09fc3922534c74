#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which functions libc chose for this CPU in a static program: one name a line.

    ifuncs.py PROGRAM [NAME=VALUE...]       the environment of the program

The program makes its first few system calls under ptrace, then what each IRELATIVE relocation was resolved to is read."""
import ctypes
import os
import re
import signal
import subprocess
import sys

PTRACE_TRACEME, PTRACE_SYSCALL = 0, 24
STOPS = 12  # libc has chosen before its first system calls
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]


def relocations(program):
    out = subprocess.run(["readelf", "-rW", program], capture_output=True, text=True, check=True).stdout
    return [int(m.group(1), 16) for m in re.finditer(r"^([0-9a-f]+) +\S+ +R_X86_64_IRELATIV", out, re.M)]


def symbols(program):
    out = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    table = {}
    for line in out.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in "tTiIwW":
            table.setdefault(int(words[0], 16), []).append(words[2])
    return table


def resolved(program, environment, slots):
    child = os.fork()
    if child == 0:
        libc.ptrace(PTRACE_TRACEME, 0, None, None)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.execve(program, [program], environment)
    os.waitpid(child, 0)
    for _ in range(STOPS):
        libc.ptrace(PTRACE_SYSCALL, child, None, None)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            sys.exit(f"{program}: it ended before it could be looked at")
    with open(f"/proc/{child}/mem", "rb", 0) as mem:
        values = []
        for slot in slots:
            mem.seek(slot)
            values.append(int.from_bytes(mem.read(8), "little"))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return values


def main():
    program, environment = sys.argv[1], dict(word.split("=", 1) for word in sys.argv[2:])
    slots, names = relocations(program), symbols(program)
    if not slots:
        sys.exit(f"{program}: no function of it is chosen at the start")
    for value in resolved(program, environment, slots):
        print(" ".join(names.get(value, ["?"])))


main()

# SPDX-License-Identifier: MIT
"""Servers, clients and mounts that are made together and end together."""
import os, shutil, signal, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("B", "build"))
TOP = tempfile.mkdtemp(prefix="gallery.")
QUIET = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def mounts():
    """mount point -> connection, of all FUSE mounts here"""
    found = {}
    for line in open("/proc/self/mountinfo"):
        fields = line.split()
        if " fuse" in line and fields[fields.index("-") + 1].startswith("fuse"):
            major, minor = map(int, fields[2].split(":"))
            found[fields[4].encode().decode("unicode_escape")] = major << 20 | minor
    return found


class Scene:
    """Servers, clients and mounts that end together."""

    def __init__(self, name):
        self.name, self.procs, self.points, self.conns = name, [], [], {}
        self.pids = []
        self.dir = tempfile.mkdtemp(prefix=name.replace(" ", "_") + ".", dir=TOP)

    def path(self, *names):
        path = os.path.join(self.dir, *names)
        os.makedirs(path, exist_ok=True)
        return path

    def file(self, path, size=65536):
        with open(path, "wb") as out:
            out.write(b"x" * size)

    def mount(self, point, *argv, env=None):
        """Starts a server in the foreground and waits for its mount. Its process."""
        proc = subprocess.Popen(argv, env=dict(os.environ, **(env or {})), **QUIET)
        self.procs.append(proc)
        self.points.append(point)
        for _ in range(200):
            if point in mounts():
                self.conns[point] = mounts()[point]
                return proc
            if proc.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("%s: %s did not mount (status %s)" % (self.name, argv[0], proc.poll()))

    def client(self, code, *args):
        """A task that will hang: Python, so that nothing but the call itself is in the way."""
        proc = subprocess.Popen([sys.executable, "-S", "-c", "import os,sys\n" + code, *args], **QUIET)
        self.procs.append(proc)
        return proc

    def wait_for(self, what):
        for _ in range(200):
            if what():
                return
            time.sleep(0.05)
        raise RuntimeError(self.name + " did not get ready")

    def reader(self, path):
        return self.client("os.read(os.open(sys.argv[1],os.O_RDONLY),4096)", path)

    def abort(self):
        for number in self.conns.values():
            try:
                with open("/sys/fs/fuse/connections/%d/abort" % number, "w") as out:
                    out.write("1")
            except OSError:
                pass

    def end(self):
        for proc in self.procs:
            if proc.poll() is None:
                try:
                    proc.send_signal(signal.SIGCONT)
                    proc.kill()
                except OSError:
                    pass
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        self.abort()
        for point in reversed(self.points):
            subprocess.run(["umount", "-l", point], **QUIET)
        for proc in self.procs:
            try:
                proc.wait(10)
            except subprocess.TimeoutExpired:
                print("gallery: process %d of %s is left" % (proc.pid, self.name))
        shutil.rmtree(self.dir, ignore_errors=True)

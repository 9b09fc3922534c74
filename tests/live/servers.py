# SPDX-License-Identifier: MIT
"""Real FUSE servers, and the states to put them in."""
import os, shutil, signal, subprocess, sys, time

from scene import BUILD, QUIET, TOP, mounts

# Servers from Debian. Each: what it needs, and a function that mounts it in a scene: (server process, mount point, a file there).
def bindfs(s, *more):
    src, point = s.path("src"), s.path("mnt")
    s.file(src + "/f")
    return s.mount(point, "bindfs", "-f", *more, src, point), point, point + "/f"


def mergerfs(s):
    src, other, point = s.path("src"), s.path("other"), s.path("mnt")
    s.file(src + "/f")
    return s.mount(point, "mergerfs", "-f", src + ":" + other, point), point, point + "/f"


def squashfuse(s):
    src, point = s.path("src"), s.path("mnt")
    s.file(src + "/f")
    subprocess.run(["mksquashfs", src, s.dir + "/image", "-quiet"], check=True, **QUIET)
    return s.mount(point, "squashfuse", "-f", s.dir + "/image", point), point, point + "/f"


def overlay(s):
    low, up, work, point = s.path("low"), s.path("up"), s.path("work"), s.path("mnt")
    s.file(low + "/f")
    opts = "lowerdir=%s,upperdir=%s,workdir=%s" % (low, up, work)
    return s.mount(point, "fuse-overlayfs", "-f", "-o", opts, point), point, point + "/f"


def gocryptfs(s):
    src, point = s.path("src"), s.path("mnt")
    with open(s.dir + "/pass", "w") as out:
        out.write("gallery\n")
    word = ["-passfile", s.dir + "/pass", "-q"]
    subprocess.run(["gocryptfs", "-init", "-scryptn", "10", *word, src], check=True, **QUIET)
    proc = s.mount(point, "gocryptfs", "-fg", *word, src, point)
    s.file(point + "/f")
    return proc, point, point + "/f"


def ntfs(s):
    point, image = s.path("mnt"), s.dir + "/image"
    with open(image, "wb") as out:
        out.truncate(8 << 20)
    subprocess.run(["mkntfs", "-F", "-Q", image], check=True, **QUIET)
    proc = s.mount(point, "ntfs-3g", "-o", "no_detach", image, point)
    s.file(point + "/f")
    return proc, point, point + "/f"


def sshfs(s):
    src, point = s.path("src"), s.path("mnt")
    s.file(src + "/f")
    # The file server itself in the place of ssh: no key, no network.
    server = "/usr/lib/openssh/sftp-server"
    with open(s.dir + "/ssh", "w") as out:
        out.write("#!/bin/sh\nexec %s\n" % server)
    os.chmod(s.dir + "/ssh", 0o755)
    argv = ["sshfs", "-f", "-o", "ssh_command=%s/ssh" % s.dir, "x:" + src, point]
    return s.mount(point, *argv), point, point + "/f"


def rclone(s):
    src, point = s.path("src"), s.path("mnt")
    s.file(src + "/f")
    return s.mount(point, "rclone", "mount", src, point, "--config", s.dir + "/none"), point, point + "/f"


def odd(s, where="mnt", flags=(), **env):
    point = s.path(where)
    return s.mount(point, TOP + "/odd", "-f", *flags, point, env=env), point, point + "/f"


SERVERS = {
    "bindfs": (["bindfs"], bindfs),
    "mergerfs": (["mergerfs"], mergerfs),
    "squashfuse": (["squashfuse", "mksquashfs"], squashfuse),
    "fuse-overlayfs": (["fuse-overlayfs"], overlay),
    "gocryptfs": (["gocryptfs"], gocryptfs),
    "ntfs-3g": (["ntfs-3g", "mkntfs"], ntfs),
    "sshfs": (["sshfs", "/usr/lib/openssh/sftp-server"], sshfs),
    "rclone": (["rclone"], rclone),
    "odd": ([], odd),
}


# States. Each gives (client, connection that is looked at, state wanted, connection of the cause, whether --unwedge frees it), and how many
# tasks must be told at least.
def healthy(s, make):
    _, point, path = make(s)
    open(path, "rb").read(10)
    return None, s.conns[point], None, None, False


def stopped(s, make):
    proc, point, path = make(s)
    proc.send_signal(signal.SIGSTOP)
    return s.client("os.stat(sys.argv[1])", path + "-new"), s.conns[point], "stalled", s.conns[point], False


def lazily(s, make):
    proc, point, path = make(s)
    # Removed while it is open; then its server stops.
    client = s.client("fd=os.open(sys.argv[1],os.O_RDONLY|os.O_DIRECTORY)\nopen(sys.argv[2],'w')\n"
                      "import time\nwhile not os.path.exists(sys.argv[3]): time.sleep(0.02)\nos.stat('none',dir_fd=fd)",
                      point, s.dir + "/is-open", s.dir + "/go")
    while not os.path.exists(s.dir + "/is-open"):
        time.sleep(0.02)
    subprocess.run(["umount", "-l", point], check=True, **QUIET)
    proc.send_signal(signal.SIGSTOP)
    open(s.dir + "/go", "w").close()
    return client, s.conns[point], "stalled", s.conns[point], False


def killed(s, make):
    proc, point, path = make(s)
    proc.kill()
    proc.wait()
    return s.client("os.stat(sys.argv[1])", path), s.conns[point], None, None, False


def contained(s, make):
    proc, point, path = make(s)
    proc.send_signal(signal.SIGSTOP)
    client = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "stat", path + "-new"], **QUIET)
    s.procs.append(client)
    return client, s.conns[point], "stalled", s.conns[point], False


def stacked_on_stopped(s, make):
    proc, low, _ = make(s)
    up = s.path("up")
    s.mount(up, "bindfs", "-f", "-s", low, up)
    proc.send_signal(signal.SIGSTOP)
    return s.client("os.stat(sys.argv[1])", up + "/new"), s.conns[up], "stalled", s.conns[low], False


# With servers of their own.
def slow_open(s):
    _, point, path = odd(s, ODD_OPEN="30")
    return s.reader(path), s.conns[point], "stalled", s.conns[point], False


def slow_killed(s):
    _, point, path = odd(s, ODD_OPEN="30")
    client = s.reader(path)
    time.sleep(0.3)
    client.kill()
    # The server has just read the INTERRUPT: it moves.
    return client, s.conns[point], "alive", None, False


def slow_flush(s):
    _, point, path = odd(s, ODD_FLUSH="30")
    client = s.client("os.write(os.open(sys.argv[1],os.O_RDWR),b'x')\nos._exit(0)", path)
    return client, s.conns[point], "alive", None, False


def slow_below(s):
    _, low, _ = odd(s, "low", ODD_OPEN="30")
    up = s.path("up")
    s.mount(up, "bindfs", "-f", "-s", low, up)
    return s.reader(up + "/f"), s.conns[up], "stalled", s.conns[low], False


def lock_waiter(s):
    _, point, path = bindfs(s)
    code = "import fcntl,time\nfd=os.open(sys.argv[1],os.O_RDWR)\nfcntl.lockf(fd,fcntl.LOCK_EX)\ntime.sleep(100)"
    s.client(code, path)
    time.sleep(0.3)
    return s.client(code, path), s.conns[point], None, None, False


def self_single(s):
    """bindfs of a directory that contains the mount itself."""
    src = s.path("src")
    point = s.path("src", "m")
    s.mount(point, "bindfs", "-f", "-s", src, point)
    return s.client("os.stat(sys.argv[1])", point + "/m/f"), s.conns[point], "wedged", s.conns[point], True


def self_odd(s, **env):
    _, point, path = odd(s, flags=["-s"], ODD_VISIT=s.dir + "/mnt/f", **env)
    return s.reader(point + "/fvisit"), s.conns[point], "wedged", s.conns[point], True


def cycle_of_two(s):
    a, b = s.path("a"), s.path("b")
    on_a, on_b = s.path("a", "x"), s.path("b", "x")
    s.mount(on_b, "bindfs", "-f", "-s", a, on_b)
    s.mount(on_a, "bindfs", "-f", "-s", b, on_a)
    return (s.client("os.stat(sys.argv[1])", on_b + "/x/x/f"), s.conns[on_b], "wedged",
            {s.conns[on_a], s.conns[on_b]}, True)


def stacked_on_deadlock(s):
    _, low, _ = odd(s, "low", flags=["-s"], ODD_VISIT=s.dir + "/low/f")
    up = s.path("up")
    s.mount(up, "bindfs", "-f", "-s", low, up)
    return s.reader(up + "/fvisit"), s.conns[up], "wedged", s.conns[low], True


def notify(s):
    """A server inside a notification has no request of its own."""
    _, point, path = odd(s, flags=["-s"], ODD_INVAL="1")
    return s.reader(path), s.conns[point], "wedged", s.conns[point], True


def two_holders(s):
    """Who opened the device keeps it and does nothing; the server that got it deadlocks. The idle one might answer."""
    point = s.path("mnt")
    s.client(
        "import ctypes,time\nfd=os.open('/dev/fuse',os.O_RDWR)\nos.set_inheritable(fd,True)\n"
        "opt=b'fd=%d,rootmode=40000,user_id=0,group_id=0' % fd\n"
        "assert ctypes.CDLL(None).mount(b'odd',sys.argv[1].encode(),b'fuse',0,opt)==0\n"
        "import subprocess\np=subprocess.Popen([sys.argv[2],'-f','-s','/dev/fd/%d'%fd],close_fds=False)\n"
        "open(sys.argv[3],'w').write(str(p.pid))\nos.pause() if hasattr(os,'pause') else time.sleep(1000)",
        point, TOP + "/odd", s.dir + "/pid")
    s.points.append(point)
    s.wait_for(lambda: point in mounts() and os.path.exists(s.dir + "/pid") and open(s.dir + "/pid").read())
    s.conns[point] = mounts()[point]
    s.pids.append(int(open(s.dir + "/pid").read()))
    time.sleep(0.3)
    os.kill(s.pids[-1], signal.SIGSTOP)
    return s.client("os.stat(sys.argv[1])", point + "/f"), s.conns[point], "stalled", s.conns[point], False


def space(s):
    point = s.path("a b")
    proc = s.mount(point, TOP + "/odd", "-f", point)
    proc.send_signal(signal.SIGSTOP)
    return s.client("os.stat(sys.argv[1])", point + "/f"), s.conns[point], "stalled", s.conns[point], False


def many_mounts(s):
    for i in range(40):
        odd(s, "m%d" % i)
    proc, point, path = odd(s, "last")
    proc.send_signal(signal.SIGSTOP)
    return s.client("os.stat(sys.argv[1])", path), s.conns[point], "stalled", s.conns[point], False


def vfork_parent(s):
    """The child of a vfork(2) hangs in execve(2) of a file there; the client is its parent."""
    proc, point, path = bindfs(s)
    proc.send_signal(signal.SIGSTOP)
    return s.client("os.posix_spawn(sys.argv[1],[sys.argv[1]],{})", path), s.conns[point], "stalled", s.conns[point], False, 2


def second_epoll_ctl(s):
    _, point, _ = odd(s, ODD_POLL="1")
    code = ("import select,threading,time\ne=select.epoll()\nf=os.open(sys.argv[1],os.O_RDWR)\n"
            "threading.Thread(target=lambda: e.register(f)).start()\ntime.sleep(0.3)\ne.register(os.pipe()[0])")
    return s.client(code, point + "/fpoll"), s.conns[point], "stalled", s.conns[point], False, 2


def loop_image():
    """Made before anything hangs: mkfs.ext4 looks at every mount of the machine."""
    image = TOP + "/ext4"
    if not os.path.exists(image):
        with open(image, "wb") as out:
            out.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, **QUIET)
    return image


def loop_device(s):
    src, point, disk = s.path("src"), s.path("mnt"), s.path("disk")
    shutil.copy(loop_image(), src + "/image")
    proc = s.mount(point, "bindfs", "-f", src, point)
    subprocess.run(["mount", "-o", "loop,ro,noload", point + "/image", disk], check=True, **QUIET)
    s.points.append(disk)
    fd = os.open(point + "/image", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)
    proc.send_signal(signal.SIGSTOP)
    return s.client("os.listdir(sys.argv[1]+'/lost+found')\nos.stat(sys.argv[1]+'/none')", disk), s.conns[point], "stalled", s.conns[point], False


def netflix(s):
    """Its own program: prints its connection; a server that exits with a file of its own mount open."""
    gate = s.path("gate")
    proc = subprocess.Popen([os.path.join(BUILD, "tests", "netflix"), gate],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    number = None
    for line in proc.stdout:
        if line.startswith("connection "):
            number = int(line.split()[1])
        if "ready" in line:
            break
    s.procs.append(proc)
    s.conns["netflix"] = number
    open(gate + "/go", "w").close()
    return proc, number, "wedged", number, True


def scenes():
    """name -> function of a scene; and what is left out"""
    have, missing = {}, []
    for name, (needs, make) in SERVERS.items():
        lacks = [n for n in needs if not (os.path.exists(n) if n[0] == "/" else shutil.which(n))]
        if lacks:
            missing.append("%s: no %s" % (name, ", ".join(lacks)))
            continue
        for state in (healthy, stopped, lazily, killed, contained, stacked_on_stopped):
            if state is stacked_on_stopped and not shutil.which("bindfs"):
                continue
            have["%s %s" % (name, state.__name__)] = lambda s, state=state, make=make: state(s, make)
    own = {
        "odd slow open": slow_open,
        "odd slow, client killed": slow_killed,
        "odd slow flush at exit": slow_flush,
        "odd self-deadlock": self_odd,
        "odd self-deadlock, helper sleeps": lambda s: self_odd(s, ODD_HELPERS="1"),
        "odd self-deadlock, helper ticks": lambda s: self_odd(s, ODD_HELPERS="tick"),
        "odd self-deadlock, by a child": lambda s: self_odd(s, ODD_CHILD="1"),
        "odd self-deadlock, behind a pipe": lambda s: self_odd(s, ODD_CHILD="pipe"),
        "odd in a notification": notify,
        "odd, two holders": two_holders,
        "odd, a space in its path": space,
        "odd, 40 other mounts": many_mounts,
        "odd, second epoll_ctl": second_epoll_ctl,
        "netflix": netflix,
    }
    if shutil.which("bindfs"):
        own.update({
            "bindfs above a slow one": slow_below,
            "bindfs, vfork parent": vfork_parent,
            "bindfs below a loop device": loop_device,
            "bindfs, waiter for a lock": lock_waiter,
            "bindfs self-deadlock": self_single,
            "bindfs cycle of two": cycle_of_two,
            "bindfs above a deadlock": stacked_on_deadlock,
        })
    have.update(own)
    return have, missing


QUICK = ["bindfs stopped", "bindfs stacked_on_stopped", "odd slow flush at exit", "odd slow, client killed", "bindfs above a slow one",
         "bindfs self-deadlock", "bindfs cycle of two", "odd self-deadlock, behind a pipe", "odd lazily"]

/* SPDX-License-Identifier: MIT */
/* Starts the server under test of a run and knows its processes. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/fuse.h>

#include "harness/scenario/tables.h"
#include "priority.h"

#define DIR_SERVER	   DIR_PRIVATE "/server"
#define SERVER_MNT	   DIR_SERVER "/mnt"
#define SERVER_SRC	   DIR_SERVER "/src"
#define SERVER_BIN	   DIR_SERVER "/bin"
#define SERVER_LOG	   DIR_SERVER "/log"
#define FUSERMOUNT	   SERVER_BIN "/fusermount3"
#define SOCKET_BYTES	   (8 << 20)
#define FILE_BYTES	   65536
#define START_MS	   3000
#define CAP_TO_MASK64(cap) (1ull << (cap))

extern const char pause_image_start[], pause_image_end[];

/* Where libraries look first, before PATH. */
static const char *const installed[] = {"/usr/bin/fusermount3", "/bin/fusermount3",
					"/usr/bin/fusermount", "/bin/fusermount",
					"/usr/bin/mergerfs-fusermount"};

static int fail(char *err, const char *what)
{
	int ret = -errno;

	snprintf(err, 200, "%s: %s", what, strerror(-ret));
	return ret;
}

static int copy_self(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t n = -1;

	if (from >= 0 && to >= 0)
		do
			n = sendfile(to, from, NULL, 1 << 20);
		while (n > 0);
	close(from);
	close(to);
	return (int)n;
}

int server_init(struct executor *ex, char *err)
{
	if (!ex->server)
		return 0;
	if (mkdir(DIR_SERVER, 0755) < 0 || mkdir(SERVER_MNT, 0755) < 0 ||
	    mkdir(SERVER_SRC, 0755) < 0 || mkdir(SERVER_BIN, 0755) < 0)
		return fail(err, "mkdir below " DIR_SERVER);
	if (copy_self(FUSERMOUNT) < 0 ||
	    symlink("fusermount3", SERVER_BIN "/fusermount") < 0 ||
	    symlink("fusermount3", SERVER_BIN "/mergerfs-fusermount") < 0)
		return fail(err, FUSERMOUNT);
	return 0;
}

static void make_file(const char *name, const void *data, size_t len, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), SERVER_SRC "/%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return;
	if (data ? write(fd, data, len) < 0 : ftruncate(fd, (off_t)len) < 0)
		errno = 0; /* a shorter file is a file too */
	close(fd);
}

/* What path_table names and the daemon's own tree has. Whatever the last run made is removed. */
static void make_tree(void)
{
	static const enum path_id files[] = {PATH_F0, PATH_F1, PATH_F2, PATH_F3};
	char path[128];

	for (unsigned int i = PATH_COUNT; i-- > PATH_F0;) {
		if (i == PATH_OUT)
			continue;
		snprintf(path, sizeof(path), SERVER_SRC "/%s", path_table[i]);
		remove(path);
	}
	mkdir(SERVER_SRC "/d0", 0755);
	mkdir(SERVER_SRC "/d1", 0755);
	for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(path_table[files[i]], NULL, FILE_BYTES, 0644);
	make_file(path_table[PATH_BIN], pause_image_start,
		  (size_t)(pause_image_end - pause_image_start), 0755);
	if (symlink(path_table[PATH_F0], SERVER_SRC "/sym") < 0)
		errno = 0; /* there is one: the same */
}

static void append(char *buf, size_t size, const char *text, size_t len)
{
	size_t have = strlen(buf);

	if (have + len < size) {
		memcpy(buf + have, text, len);
		buf[have + len] = '\0';
	}
}

/* The command with its {mnt} and {src} replaced. */
static void expand(const char *command, char *buf, size_t size)
{
	buf[0] = '\0';
	while (*command) {
		const char *to = !strncmp(command, "{mnt}", 5)	 ? SERVER_MNT
				 : !strncmp(command, "{src}", 5) ? SERVER_SRC
								 : NULL;

		append(buf, size, to ? to : command, to ? strlen(to) : 1);
		command += to ? 5 : 1;
	}
}

static void set_path(void)
{
	const char *path = getenv("PATH");
	char text[4096];

	snprintf(text, sizeof(text), SERVER_BIN ":%s",
		 path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	setenv("PATH", text, 1);
}

static void own_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		_exit(126);
	for (unsigned int i = 0; i < sizeof(installed) / sizeof(installed[0]); i++)
		if (!access(installed[i], F_OK) &&
		    mount(FUSERMOUNT, installed[i], NULL, MS_BIND, NULL) < 0)
			_exit(126);
}

_Noreturn static void server_main(struct run *run, int fd)
{
	static char command[8192];
	int log = open(SERVER_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);

	expand(run->ex->server, command, sizeof(command));
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	dup2(fd, SERVER_FD);
	actor_enter(run->ex->actors, SERVER_FD + 1);
	own_namespace();
	set_path();
	signal(SIGPIPE, SIG_DFL);
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) < 0 || chdir("/") < 0)
		_exit(126);
	setsid();
	run->server_apart = 1;
	arena_tell(run->arena);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int make_socket(int pair[2])
{
	int size = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return 0;
}

static int await_apart(struct run *run)
{
	int64_t deadline = now_us() + START_MS * 1000;

	while (!run->server_apart) {
		uint32_t seen = run->arena->event;

		if (run->server_apart || (priority_settle(run) && run->server_apart))
			break;
		if (now_us() > deadline)
			return -ETIMEDOUT;
		arena_listen(run->arena, seen, 20 * 1000 * 1000);
	}
	return 0;
}

int server_start(struct run *run, char *err)
{
	int pair[2], ret;
	pid_t pid;

	if (!run->ex->server)
		return 0;
	if (strstr(run->ex->server, "{src}"))
		make_tree();
	ret = make_socket(pair);
	if (ret < 0) {
		errno = -ret;
		return fail(err, "socketpair");
	}
	pid = actor_clone(SIGCHLD);
	if (!pid)
		server_main(run, pair[1]);
	ret = pid < 0 ? -errno : dup3(pair[0], FD_SERVER, O_CLOEXEC);
	close(pair[0]);
	close(pair[1]);
	if (ret >= 0)
		ret = await_apart(run);
	if (ret < 0) {
		errno = -ret;
		return fail(err, "start of the server under test");
	}
	return 0;
}

static bool init_is_faulted(const struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].opcode == FUSE_INIT || !scn->faults[i].opcode)
			return true;
	return false;
}

/* The last line of what it printed. */
static void last_words(char *buf, size_t size)
{
	char text[4096] = "", *line;
	int fd = open(SERVER_LOG, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	size_t len;

	if (fd >= 0) {
		lseek(fd, -(off_t)(sizeof(text) - 1), SEEK_END);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	len = n > 0 ? (size_t)n : 0;
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	text[len] = '\0';
	line = strrchr(text, '\n');
	snprintf(buf, size, "%s", line ? line + 1 : text);
}

int server_await(struct run *run, char *err)
{
	const struct daemon_shared *daemon = &run->arena->daemon;
	int64_t deadline = now_us() + START_MS * 1000;
	char words[140];

	if (!run->ex->server)
		return 0;
	while (!daemon->inited) {
		uint32_t seen = run->arena->event;
		char state;

		priority_settle(run);
		priority_work(run);
		state = run_task_state(daemon->pid, daemon->pid);
		if (daemon->inited ||
		    (init_is_faulted(run->scn) && run->arena->ledger.head))
			break;
		if (state == 'Z' || state == 'X' || now_us() > deadline) {
			last_words(words, sizeof(words));
			snprintf(err, 200, "the server did not answer INIT%s%s",
				 words[0] ? ": " : "", words);
			return -ETIMEDOUT;
		}
		arena_listen(run->arena, seen, 5 * 1000 * 1000);
	}
	return 0;
}

/* Of status: it can be read of a task that hangs in execve(), unlike its namespaces. */
bool server_owns(const struct run *run, pid_t pid)
{
	static const char field[] = "\nCapBnd:\t";
	char path[40], buf[4096], *at;
	ssize_t n;
	int fd;

	if (!run->ex->server)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	at = strstr(buf, field);
	return at &&
	       !(strtoull(at + strlen(field), NULL, 16) & CAP_TO_MASK64(CAP_SYS_ADMIN));
}

/* SPDX-License-Identifier: MIT */
/* Recognises kernel trouble in log lines by a table of patterns, and gives it a stable
 * title. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "kmsg_match.h"

enum { ANYWHERE = 1, FUNCTION = 2 };

/*
 * The first row that matches decides. The pattern begins the line's text, or is anywhere
 * in it. Without a title the cleaned line is the title. FUNCTION: the title gets " in
 * FUNC" from the RIP line that follows.
 */
static const struct row {
	const char *pattern;
	enum kmsg_severity severity;
	const char *kind;
	int flags;
	const char *title;
} rows[] = {
	/* Our own trouble comes first: it ends in a panic like the kernel's. */
	{"Kernel panic - not syncing: Attempted to kill init", KMSG_INFRA, "init",
	 ANYWHERE, "the guest's init ended"},
	{"Kernel panic - not syncing: VFS: Unable to mount root", KMSG_INFRA, "init",
	 ANYWHERE, "the guest found no initramfs"},
	{"Kernel panic - not syncing: No working init", KMSG_INFRA, "init", ANYWHERE,
	 "the guest found no init"},
	{"Kernel panic - not syncing: Requested init", KMSG_INFRA, "init", ANYWHERE,
	 "the guest could not run its init"},
	{"Kernel panic - not syncing: System is deadlocked on memory", KMSG_INFRA, "oom",
	 ANYWHERE, "the guest ran out of memory"},
	{"Kernel panic - not syncing: Out of memory", KMSG_INFRA, "oom", ANYWHERE,
	 "the guest ran out of memory"},
	/*
	 * arch/x86/kernel/alternative.c patches code through int3, and QEMU's TCG may run into it on another CPU: of the
	 * emulator, not of the kernel.
	 */
	{"Oops: int3: 0000", KMSG_INFRA, "emulator", 0,
	 "the guest's CPU ran into code that was being patched"},
	{"int3: 0000", KMSG_INFRA, "emulator", 0,
	 "the guest's CPU ran into code that was being patched"},
	{"Initramfs unpacking failed", KMSG_INFRA, "init", 0, NULL},
	{"Out of memory: Killed process", KMSG_INFRA, "oom", 0,
	 "the guest ran out of memory"},
	{"Out of memory: ", KMSG_INFRA, "oom", 0, "the guest ran out of memory"},

	/* Harmless, though "WARNING" or "BUG" is in it. */
	{"Spectre V2 : WARNING:", KMSG_NOISE, "mitigation", 0, NULL},
	{"RETBleed: WARNING:", KMSG_NOISE, "mitigation", 0, NULL},
	{"WARNING: Spectre", KMSG_NOISE, "mitigation", 0, NULL},
	{"MDS CPU bug present", KMSG_NOISE, "mitigation", 0, NULL},
	{"TAA CPU bug present", KMSG_NOISE, "mitigation", 0, NULL},
	{"MMIO Stale Data CPU bug present", KMSG_NOISE, "mitigation", 0, NULL},
	{"Warning: unable to open an initial console", KMSG_NOISE, "console", 0, NULL},
	{"INFO: NMI handler", KMSG_NOISE, "nmi", 0, NULL},
	{"INFO: lockdep is turned off", KMSG_NOISE, "lockdep", 0, NULL},
	{"BUG: MAX_LOCK", KMSG_NOISE, "lockdep", 0, NULL}, /* lockdep's own tables */
	{"BUG: MAX_STACK_TRACE_ENTRIES", KMSG_NOISE, "lockdep", 0, NULL},
	{"WARNING: kernel stack ", KMSG_NOISE, "unwinder", 0, NULL},
	{"WARNING: stack recursion", KMSG_NOISE, "unwinder", 0, NULL},
	{"WARNING: can't ", KMSG_NOISE, "unwinder", 0, NULL},
	{"WARNING: Flushing system-wide workqueues", KMSG_NOISE, "workqueue", 0, NULL},
	/* What a server answered, not what the kernel did. */
	{"fuse: root generation should be zero", KMSG_NOISE, "fuse", 0, NULL},
	{"VFS: Lookup of ", KMSG_NOISE, "fuse", 0, NULL},

	{"Kernel panic - not syncing", KMSG_FATAL, "panic", ANYWHERE, NULL},
	{"PANIC: double fault", KMSG_FATAL, "panic", 0, "double fault"},
	/* User-mode Linux gives up: arch/um/os-Linux/skas/process.c */
	{"wait_stub_done : failed", KMSG_FATAL, "uml", 0,
	 "UML lost a process of its own"},
	{"handle_trap - failed", KMSG_FATAL, "uml", 0, "UML lost a process of its own"},
	{"userspace - ptrace continue failed", KMSG_FATAL, "uml", 0,
	 "UML lost a process of its own"},
	{"userspace - wait failed", KMSG_FATAL, "uml", 0,
	 "UML lost a process of its own"},

	{"BUG: KASAN: ", KMSG_BUG, "kasan", 0, NULL},
	{"BUG: KMSAN: ", KMSG_BUG, "kmsan", 0, NULL},
	{"BUG: KCSAN: ", KMSG_BUG, "kcsan", 0, NULL},
	{"BUG: KFENCE: ", KMSG_BUG, "kfence", 0, NULL},
	{"UBSAN: ", KMSG_BUG, "ubsan", 0, NULL},
	{"new suspected memory leaks", KMSG_BUG, "kmemleak", ANYWHERE,
	 "kmemleak: unreferenced objects"},
	{"unreferenced object 0x", KMSG_BUG, "kmemleak", 0,
	 "kmemleak: unreferenced objects"},
	{"ODEBUG: ", KMSG_BUG, "odebug", 0, NULL},
	{"usercopy: Kernel memory ", KMSG_BUG, "bug", 0, NULL},
	{"BUG: kernel NULL pointer dereference", KMSG_BUG, "oops", FUNCTION,
	 "BUG: kernel NULL pointer dereference"},
	{"BUG: unable to handle", KMSG_BUG, "oops", FUNCTION,
	 "BUG: unable to handle page fault"},
	{"Unable to handle kernel", KMSG_BUG, "oops", FUNCTION,
	 "BUG: unable to handle page fault"},
	{"general protection fault", KMSG_BUG, "oops", FUNCTION,
	 "general protection fault"},
	{"Oops: general protection fault", KMSG_BUG, "oops", FUNCTION,
	 "general protection fault"},
	{"kernel BUG at ", KMSG_BUG, "bug", FUNCTION, "kernel BUG"},
	{"invalid opcode: 0000", KMSG_BUG, "oops", FUNCTION, "invalid opcode"},
	{"divide error: 0000", KMSG_BUG, "oops", FUNCTION, "divide error"},
	{"stack segment: 0000", KMSG_BUG, "oops", FUNCTION, "stack segment fault"},
	{"Oops: ", KMSG_BUG, "oops", FUNCTION, "oops"},
	{"Kernel mode fault at addr", KMSG_BUG, "oops", FUNCTION, "kernel mode fault"},

	{"BUG: soft lockup", KMSG_BUG, "soft lockup", ANYWHERE | FUNCTION, "soft lockup"},
	{"BUG: workqueue lockup", KMSG_BUG, "soft lockup", ANYWHERE, "workqueue lockup"},
	{"BUG: workqueue leaked", KMSG_BUG, "bug", 0,
	 "BUG: workqueue leaked atomic, lock or RCU"},
	{"detected hard LOCKUP", KMSG_BUG, "hard lockup", ANYWHERE | FUNCTION,
	 "hard lockup"},
	{"self-detected stall on CPU", KMSG_BUG, "rcu stall", ANYWHERE | FUNCTION,
	 "RCU stall"},
	{"detected stalls on CPUs/tasks", KMSG_BUG, "rcu stall", ANYWHERE | FUNCTION,
	 "RCU stall"},
	{"detected stalls on tasks", KMSG_BUG, "rcu stall", ANYWHERE, "RCU tasks stall"},
	{"kthread starved for ", KMSG_BUG, "rcu stall", ANYWHERE, "RCU kthread starved"},
	{"detected expedited stalls", KMSG_BUG, "rcu stall", ANYWHERE | FUNCTION,
	 "RCU stall"},
	{"INFO: task ", KMSG_BUG, "hung task", 0, "hung task"},
	/* kernel/power/process.c: what the freezer waits for may be a client of FUSE, or its server. */
	{"Freezing user space processes failed", KMSG_BUG, "freezer", 0,
	 "tasks refuse to freeze"},
	{"Freezing remaining freezable tasks failed", KMSG_BUG, "freezer", 0,
	 "tasks refuse to freeze"},
	{"Freezing of ", KMSG_BUG, "freezer", 0, "tasks refuse to freeze"},

	{"WARNING: CPU: ", KMSG_BUG, "warn", 0, NULL},
	{"WARNING: possible ", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: inconsistent lock state", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: bad unlock balance", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: held lock freed", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: lock held when returning", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: suspicious RCU usage", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: Nested lock was not taken", KMSG_BUG, "lockdep", 0, NULL},
	{"DEBUG_LOCKS_WARN_ON", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: chain_key collision", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: bad contention", KMSG_BUG, "lockdep", 0, NULL},
	{"-unsafe lock order detected", KMSG_BUG, "lockdep", ANYWHERE,
	 "WARNING: unsafe lock order"},
	{"still has locks held", KMSG_BUG, "lockdep", ANYWHERE,
	 "WARNING: a task still has locks held"},
	{"INFO: trying to register non-static key", KMSG_BUG, "lockdep", 0, NULL},
	{"BUG: key ", KMSG_BUG, "lockdep", 0, "BUG: a lock key has not been registered"},
	/* Up to 4.x lockdep said INFO. */
	{"[ INFO: ", KMSG_BUG, "lockdep", 0, NULL},
	{"WARNING: ", KMSG_BUG, "warn", 0, NULL},
	{"refcount_t: ", KMSG_BUG, "warn", 0, NULL},
	{"list_add corruption", KMSG_BUG, "bug", 0, "list_add corruption"},
	{"list_del corruption", KMSG_BUG, "bug", 0, "list_del corruption"},
	{"VFS: Busy inodes after unmount", KMSG_BUG, "bug", 0,
	 "VFS: Busy inodes after unmount"},
	{"BUG: Dentry ", KMSG_BUG, "bug", 0, "BUG: Dentry still in use"},
	{"VFS: ", KMSG_BUG, "bug", 0, NULL},
	/* fs/fuse: fuse_check_folio(), fuse_uring; 6.x says folio where 5.10 says page. */
	{"fuse: trying to steal weird ", KMSG_BUG, "fuse", 0,
	 "fuse: trying to steal weird page"},
	{"fuse: entry teardown ", KMSG_BUG, "fuse", 0,
	 "fuse: ring entry in a wrong state"},
	{"fuse: Failed to get root inode", KMSG_BUG, "fuse", 0, NULL},
	{"virtio-fs: virtio_fs_enqueue_req() failed", KMSG_BUG, "fuse", 0,
	 "virtio-fs: virtio_fs_enqueue_req() failed"},
	{"BUG: Bad page state", KMSG_BUG, "bug", 0, "BUG: Bad page state"},
	{"BUG: Bad page cache", KMSG_BUG, "bug", 0, "BUG: Bad page cache"},
	{"BUG: Bad page map", KMSG_BUG, "bug", 0, "BUG: Bad page map"},
	{"BUG: non-zero pgtables_bytes", KMSG_BUG, "bug", 0,
	 "BUG: non-zero pgtables_bytes on freeing mm"},
	{"BUG: using ", KMSG_BUG, "bug", 0, NULL},
	{"BUG: Bad rss-counter", KMSG_BUG, "bug", 0, "BUG: Bad rss-counter state"},
	{"BUG: sleeping function called", KMSG_BUG, "bug", 0,
	 "BUG: sleeping function called from invalid context"},
	{"BUG: scheduling while atomic", KMSG_BUG, "bug", 0,
	 "BUG: scheduling while atomic"},
	{"BUG: ", KMSG_BUG, "bug", 0, NULL},
	/* mm/slub.c: "BUG fuse_inode (Tainted: G W): Poison overwritten" */
	{"BUG ", KMSG_BUG, "slab", 0, NULL},
	{"Bad swap ", KMSG_BUG, "bug", ANYWHERE, "bad swap entry"},
	{"Slab cache still has objects", KMSG_BUG, "slab", ANYWHERE,
	 "slab cache still has objects"},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Behind "[...]" if that holds nothing but a time, a thread or a CPU ("[ 1.5]", "[ T12]",
 * "[ C0]"). */
static const char *skip_bracket(const char *line)
{
	const char *p = line + 1;

	while (*p == ' ')
		p++;
	if (*p == 'T' || *p == 'C')
		p++;
	if (!isdigit((unsigned char)*p))
		return line;
	p += strspn(p, "0123456789.");
	return *p == ']' ? p + 1 : line;
}

const char *kmsg_text(const char *line)
{
	const char *p = line, *next;

	if (isdigit((unsigned char)*p)) {
		next = p + strspn(p, "0123456789,-c");
		while (*next && *next != ';' &&
		       (isalnum((unsigned char)*next) || *next == '='))
			next++;
		if (*next == ';')
			p = next + 1;
	}
	for (;;) {
		p += strspn(p, " \t\r");
		next = p;
		if (*p == '<' && isdigit((unsigned char)p[1])) {
			next = p + 1 + strspn(p + 1, "0123456789");
			next = *next == '>' ? next + 1 : p;
		} else if (*p == '[') {
			next = skip_bracket(p);
		}
		if (next == p)
			return p;
		p = next;
	}
}

int64_t kmsg_time_us(const char *line)
{
	long long s = 0, us = 0;
	int n = 0;

	if (*line == '<')
		line += strcspn(line, ">") + (strchr(line, '>') != NULL);
	if (sscanf(line, "[ %lld.%6lld]%n", &s, &us, &n) == 2 && n)
		return s * 1000000 + us;
	if (sscanf(line, "%*d,%*d,%lld,%n", &us, &n) == 1 && n)
		return us;
	return -1;
}

/* Length of what says nothing of the bug at p: offset, module tag, address, oops counter;
 * or 0. */
static size_t junk(const char *p)
{
	size_t n;

	if (p[0] == '+' && p[1] == '0' && p[2] == 'x') {
		n = 3 + strspn(p + 3, "0123456789abcdef");
		if (p[n] == '/' && p[n + 1] == '0' && p[n + 2] == 'x')
			n += 3 + strspn(p + n + 3, "0123456789abcdef");
		return n;
	}
	if (p[0] == ' ' && p[1] == '[') {
		n = strcspn(p, "]");
		return p[n] ? n + 1 : 0;
	}
	if (p[0] == ' ' && p[1] == '0' && p[2] == 'x')
		return 3 + strspn(p + 3, "0123456789abcdef");
	n = p[0] == ' ' ? 1 + strspn(p + 1, "0123456789abcdef") : 0;
	return n > 8 && (!p[n] || strchr(" ,.", p[n])) ? n : 0;
}

/*
 * Length of a number or of "COMM/PID" at p, where a word begins: not the same in the next report of the same bug. 0: none.
 */
static size_t counted(const char *p)
{
	size_t word = strcspn(p, " ,()"), digits = strspn(p, "0123456789");
	const char *slash;

	if (digits && !isalnum((unsigned char)p[digits]) && p[digits] != '_')
		return digits;
	for (slash = p + word; slash > p && *slash != '/'; slash--)
		;
	digits = slash > p ? strspn(slash + 1, "0123456789") : 0;
	return digits && strchr(" ,:()\n", slash[1 + digits])
		       ? (size_t)(slash - p) + 1 + digits
		       : 0;
}

/* Who it happened to ends the title: "in process x  pfn:1", "on CPU#0, x/77", "code: x/77", "mm:... Comm:x Pid:77". */
static bool is_tail(const char *p)
{
	static const char *const tails[] = {" in process ", " on CPU#",
					    " code: ", " Comm:", " by task "};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (!strncmp(p, tails[i], strlen(tails[i])))
			return true;
	return false;
}

static void clean(const char *text, char *out, size_t size)
{
	size_t n = 0, skip;

	while (*text && *text != '\n' && *text != '\r' && n + 1 < size &&
	       !is_tail(text)) {
		skip = junk(text);
		if (skip) {
			text += skip;
			continue;
		}
		skip = !n || strchr(" :#=([", out[n - 1]) ? counted(text) : 0;
		out[n++] = skip ? 'N' : *text;
		text += skip ? skip : 1;
	}
	while (n && strchr(" .,:!", out[n - 1]))
		n--;
	out[n] = '\0';
}

/* The symbol at p ("fuse_flush+0x1/0x2", optionally behind "SEGMENT:" of a RIP line), or
 * "". */
static void symbol(const char *p, char *out, size_t size)
{
	size_t n = 0;

	while (n + 1 < size &&
	       (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '.')) {
		out[n] = p[n];
		n++;
	}
	out[n] = '\0';
	n = strcspn(out, ".");
	out[n] = '\0'; /* .isra.0, .part.1, .cold: the compiler's, not the bug's */
}

/*
 * "WARNING: CPU: 1 PID: 77 at fs/fuse/dev.c:345 fuse_request_end+0x1c0/0x1d0 [fuse]" and
 * the form of 6.18: "WARNING: fs/fuse/dev.c:345 at fuse_request_end+0x1c0/0x1d0 [fuse],
 * CPU#1: server/77". The line number stays out of the title: it moves with every stable
 * release.
 */
static void warn_title(const char *text, char *out, size_t size)
{
	const char *p = strstr(text, " at ");
	char name[80];

	if (!p)
		return clean(text, out, size);
	p += 4;
	if (!strncmp(text, "WARNING: CPU: ", 14) && strchr(p, ' '))
		p = strchr(p, ' ') + 1;
	symbol(p, name, sizeof(name));
	if (name[0])
		snprintf(out, size, "WARNING in %s", name);
	else
		clean(text, out, size);
}

bool kmsg_match(const char *line, struct kmsg_hit *ret)
{
	const char *text = kmsg_text(line);

	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *row = &rows[i];
		const char *at =
			row->flags & ANYWHERE ? strstr(text, row->pattern) : NULL;

		if (!(row->flags & ANYWHERE) &&
		    !strncmp(text, row->pattern, strlen(row->pattern)))
			at = text;
		if (!at)
			continue;
		memset(ret, 0, sizeof(*ret));
		ret->severity = row->severity;
		ret->kind = row->kind;
		ret->wants_function = row->flags & FUNCTION;
		if (row->title)
			snprintf(ret->title, sizeof(ret->title), "%s", row->title);
		else if (!strcmp(row->kind, "warn"))
			warn_title(at, ret->title, sizeof(ret->title));
		else
			clean(at, ret->title, sizeof(ret->title));
		return true;
	}
	return false;
}

/* "RIP: 0010:fuse_flush+0x12/0x1d0 [fuse]" completes "BUG: ..." to "BUG: ... in
 * fuse_flush". */
static void scan_function(struct kmsg_scan *scan, const char *text)
{
	size_t len = strlen(scan->hit.title);
	char name[80];

	if (strncmp(text, "RIP: ", 5))
		return;
	text += 5;
	if (strspn(text, "0123456789abcdef") == 4 && text[4] == ':')
		text += 5;
	symbol(text, name, sizeof(name));
	if (!name[0] || isdigit((unsigned char)name[0]))
		return;
	scan->hit.wants_function = false;
	snprintf(scan->hit.title + len, sizeof(scan->hit.title) - len, " in %s", name);
}

bool kmsg_scan_line(struct kmsg_scan *scan, const char *line)
{
	struct kmsg_hit hit;

	if (!kmsg_match(line, &hit)) {
		if (scan->found && scan->hit.wants_function)
			scan_function(scan, kmsg_text(line));
		return false;
	}
	if (hit.severity == KMSG_NOISE)
		return false;
	if (hit.severity == KMSG_FATAL)
		scan->panicked = true;
	/* With panic_on_oops the panic is only the end of the oops before it, and names
	 * nothing. */
	if (scan->found &&
	    (hit.severity <= scan->hit.severity || scan->hit.severity == KMSG_BUG ||
	     !strcmp(scan->hit.kind, "emulator")))
		return true;
	scan->found = true;
	scan->hit = hit;
	return true;
}

/* SPDX-License-Identifier: MIT */
/* The head of an exported file: what it shows, its headers, its variables. */

#include <linux/fuse.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/text.h"
#include "parts.h"

#define TEXT_SIZE 16384
#define WIDTH	  88

/* A sentence as comment lines. */
static void emit_wrapped(struct emitter *em, const char *text)
{
	while (*text) {
		size_t len = strlen(text);

		if (len > WIDTH) {
			for (len = WIDTH; len && text[len] != ' ';)
				len--;
			len = len ? len : WIDTH;
		}
		emit(em, " * %.*s\n", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static void emit_scenario(struct emitter *em)
{
	char text[TEXT_SIZE], *line, *rest = text;
	struct scenario scn = *em->whole;

	scn.config.expect = 0;
	if (scenario_format(&scn, text, sizeof(text)) < 0)
		return;
	while ((line = strsep(&rest, "\n")) && *line)
		emit(em, " *   %s\n", line);
}

static void emit_comment(struct emitter *em)
{
	emit(em, "// SPDX-License-Identifier: MIT\n/*\n");
	emit(em, " * %s: tasks that wait for FUSE and hear no SIGKILL.\n",
	     em->facts->title);
	if (*em->facts->reason)
		emit_wrapped(em, em->facts->reason);
	emit_wrapped(em,
		     em->needs.kill_daemon
			     ? "The server is dead, or cannot die: only an abort of the "
			       "connection ends it."
			     : "A reply would end it, or the death of the server.");
	emit(em, " *\n");
	emit_scenario(em);
	emit(em, " * Run it as root. Exit status: 1 reproduced, 0 not, 2 not tried. In "
		 "the end "
		 "its\n"
		 " * connection is aborted; --leave keeps it: echo 1 > "
		 "/sys/fs/fuse/connections/N/abort.\n"
		 " */\n");
}

static void emit_headers(struct emitter *em)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} headers[] = {
		{0, "err.h"},
		{0, "errno.h"},
		{0, "fcntl.h"},
		{0, "glob.h"},
		{HEADER_AIO, "linux/aio_abi.h"},
		{HEADER_IOCTL, "linux/fs.h"},
		{0, "linux/fuse.h"},
		{0, "poll.h"},
		{HEADER_THREAD, "pthread.h"},
		{HEADER_SCHED, "sched.h"},
		{0, "signal.h"},
		{0, "stdio.h"},
		{HEADER_STDLIB, "stdlib.h"},
		{0, "string.h"},
		{HEADER_EPOLL, "sys/epoll.h"},
		{HEADER_FILE, "sys/file.h"},
		{HEADER_IOCTL, "sys/ioctl.h"},
		{0, "sys/mman.h"},
		{0, "sys/mount.h"},
		{HEADER_PTRACE, "sys/ptrace.h"},
		{0, "sys/stat.h"},
		{HEADER_STATFS, "sys/statfs.h"},
		{0, "sys/syscall.h"},
		{HEADER_TIME, "sys/time.h"},
		{0, "sys/uio.h"},
		{HEADER_WAIT, "sys/wait.h"},
		{HEADER_XATTR, "sys/xattr.h"},
		{0, "unistd.h"},
	};

	emit(em, "#define _GNU_SOURCE\n");
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (!headers[i].bit || em->needs.headers & headers[i].bit)
			emit(em, "#include <%s>\n", headers[i].name);
}

const char *step_now(const struct emitter *em)
{
	return shares_more(&em->needs) ? "shared->step" : "*step_now";
}

bool shares_more(const struct needs *needs)
{
	return needs->published || needs->server_pid || needs->server_ids ||
	       needs->gate || needs->close_dev ||
	       needs->holds & (HOLD_RELEASE | HOLD_STEP) || needs->shared_files;
}

static void emit_shared(struct emitter *em)
{
	const struct needs *needs = &em->needs;

	if (!shares_more(needs)) {
		emit(em, "\nstatic volatile int *step_now; /* the step that is being "
			 "done; all processes see "
			 "it */\n");
		return;
	}
	emit(em, "\n/* What all processes see. */\n"
		 "static struct {\n"
		 "\tvolatile int step; /* the step that is being done */\n");
	if (needs->holds & HOLD_STEP)
		emit(em,
		     "\tvolatile int coming; /* the step that is about to be done */\n");
	if (needs->server_pid)
		emit(em, "\tvolatile pid_t server; /* process id */\n");
	if (needs->server_ids)
		emit(em, "\tvolatile pid_t serving[%u]; /* its threads */\n",
		     em->scn->config.threads + 1);
	for (unsigned int i = 0; i < SCN_MAX_TASKS; i++)
		if (needs->published & 1u << i)
			emit(em, "\tvolatile pid_t t%u; /* thread id */\n", i);
	for (unsigned int i = 0; needs->inner && i <= ACTOR_DAEMON; i++) {
		char id[40];

		if (!(needs->published & 1u << i))
			continue;
		op_code_id(id, sizeof(id), i, "_inner");
		emit(em, "\tvolatile pid_t %s; /* in its own pid namespace */\n",
		     id + strlen("shared->"));
	}
	if (needs->gate)
		emit(em, "\tvolatile int gate_closed; /* the server reads nothing */\n");
	if (needs->close_dev)
		emit(em, "\tvolatile int close_dev; /* the server has to close /dev/fuse "
			 "*/\n");
	if (needs->holds & HOLD_RELEASE)
		emit(em, "\tvolatile int release; /* answer so many held requests */\n");
	for (unsigned int i = 0; needs->shared_files && i < SCN_FD_SLOTS; i++)
		if (needs->fds & 1u << i)
			emit(em, "\tvolatile int fd%u;\n", i);
	emit(em, "} *shared;\n");
}

static void emit_list(struct emitter *em, const char *type, const char *name,
		      const char *value, unsigned int bits)
{
	const char *separator = "";

	if (!bits)
		return;
	emit(em, "static %s ", type);
	for (unsigned int i = 0; bits >> i; i++) {
		if (!(bits >> i & 1))
			continue;
		emit(em, "%s%s%u%s", separator, name, i, value);
		separator = ", ";
	}
	emit(em, ";\n");
}

static void emit_variables(struct emitter *em)
{
	const struct scn_config *config = &em->scn->config;
	const struct needs *needs = &em->needs;

	emit(em, "static %sint dev; /* /dev/fuse */\n",
	     config->daemon & DAEMON_CLONE_FD ? "__thread " : "");
	emit(em, "static int abort_fd; /* writing to it ends the connection */\n");
	if (config->daemon & DAEMON_CLONE_FD && needs->threads)
		emit(em, "static int first_dev;\n");
	if (!needs->shared_files)
		emit_list(em, "int", "fd", " = -1", needs->fds);
	emit_list(em, "volatile char", "*map", "", needs->maps);
	if (needs->epoll)
		emit(em, "static int epoll = -1;\n");
	if (needs->buffer)
		emit(em, "static char buffer[65536];\n");
	if (needs->st)
		emit(em, "static struct stat st;\n");
}

static const char handler_text[] = "\nstatic void handler(int sig)\n"
				   "{\n"
				   "\t(void)sig;\n"
				   "}\n";

static const char aio_text[] =
	"\n/* Starts one transfer and does not wait for it. */\n"
	"static void aio(int opcode, int fd, size_t size, off_t offset)\n"
	"{\n"
	"\tstruct iocb io = {.aio_lio_opcode = opcode, .aio_fildes = fd, .aio_offset = "
	"offset,\n"
	"\t\t\t  .aio_buf = (unsigned long)buffer, .aio_nbytes = size};\n"
	"\taio_context_t context = 0;\n"
	"\n"
	"\tTRY(syscall(SYS_io_setup, 1, &context));\n"
	"\tTRY(syscall(SYS_io_submit, context, 1, &(struct iocb *){&io}));\n"
	"}\n";

static const char outer_tid_text[] = "\n/* Our id as requests carry it: /proc is still "
				     "that of the first pid namespace. */\n"
				     "static pid_t outer_tid(void)\n"
				     "{\n"
				     "\tchar link[64] = \"\";\n"
				     "\n"
				     "\treturn readlink(\"/proc/thread-self\", link, 63) "
				     "> 0 ? atoi(strrchr(link, '/') + 1) : 0;\n"
				     "}\n";

static bool tasks_have_steps(const struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (scn->steps[i].actor < SCN_MAX_TASKS)
			return true;
	return false;
}

void emit_head(struct emitter *em)
{
	emit_comment(em);
	emit_headers(em);
	emit(em, "\n#define MNT \"/mnt\" /* hidden in our own mount namespace only */\n");
	if (*em->facts->frame)
		emit(em, "#define FRAME \"%s\" /* where one of them must wait */\n",
		     em->facts->frame);
	emit(em, "#define TRY(call) ((call) < 0 ? warn(\"%%s\", #call) : (void)0)\n");
	emit_shared(em);
	emit_variables(em);
	if (em->needs.handler)
		emit(em, "%s", handler_text);
	if (em->needs.headers & HEADER_AIO)
		emit(em, "%s", aio_text);
	if (em->needs.nested &&
	    (em->needs.published || em->needs.server_pid || em->needs.server_ids))
		emit(em, "%s", outer_tid_text);
	if (tasks_have_steps(em->scn))
		emit(em,
		     "\nstatic void turn(int step)\n"
		     "{\n"
		     "\twhile (%s < step)\n"
		     "\t\tusleep(1000);\n"
		     "}\n",
		     step_now(em));
}

/* SPDX-License-Identifier: MIT */
/*
 * The executor program: --fd N --cpu N [--server CMD] when a host starts it in namespaces of its own, or /init of a
 * guest.
 */

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor.h"
#include "guest.h"
#include "server.h"

static void complain(int channel, const char *text)
{
	frame_write(channel, FRAME_LOG, 0, text, (uint32_t)strlen(text), 1000);
}

/* glibc's rseq(2) area is written at every context switch: a copied page in each new process, for nothing here. */
static void forget_rseq(void)
{
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, 32,
			RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

static int serve(int channel, int cpu, const char *server)
{
	struct executor *ex = executor_new();
	char err[200] = "";

	if (!ex)
		return 3;
	signal(SIGPIPE, SIG_IGN);
	forget_rseq();
	executor_set_server(ex, server);
	if (executor_init(ex, channel, cpu, err) < 0) {
		complain(ex->channel, err);
		return 3;
	}
	return executor_serve(ex) < 0 ? 3 : 0;
}

/*
 * As init of a guest: the executor proper lives one pid namespace below, as on a host, so that its /proc
 * shows no kernel threads and its orphans are its own.
 */
_Noreturn static void be_guest(void)
{
	struct guest_info guest;
	long pid;

	if (guest_setup(&guest) < 0)
		guest_poweroff();
	pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL,
		      NULL);
	if (!pid)
		_exit(serve(guest.channel, guest.cpu, NULL));
	while (pid > 0 && waitpid(-1, NULL, __WALL) != pid)
		;
	guest_poweroff();
}

int main(int argc, char **argv)
{
	int channel = -1, cpu = -1;
	const char *server = NULL, *slash = strrchr(argv[0], '/');

	if (strstr(slash ? slash + 1 : argv[0], "fusermount"))
		return fusermount_main(argc, argv);

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--fd"))
			channel = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--cpu"))
			cpu = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--server"))
			server = argv[i + 1];
	}
	if (channel < 0 && guest_is_init())
		be_guest();
	if (channel < 0 || getpid() != 1) {
		fprintf(stderr,
			"shortfuse-executor: started by shortfuse, in a pid namespace "
			"of its own; not by hand\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return serve(channel, cpu, server);
}

#ifdef SF_SAN
/* Tasks of a run die by SIGSEGV and SIGBUS as real programs do; leaks are looked for in the unit tests. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:allow_user_segv_handler=1:detect_leaks=0";
}
#endif

/* SPDX-License-Identifier: MIT */
/* The end of an exported file: set up, issue the steps, look who is stuck, free them. */

#include "harness/scenario/tables.h"
#include "harness/scenario/text.h"
#include "parts.h"

static const char results_text[] = "\n/* Threads that are left, and their stacks; those "
				   "of a second ago; one that is in "
				   "FRAME. */\n"
				   "static char text[65536], before[65536], root[64];\n";

/* Where a task may be stuck in execve: of its /proc files "status" alone can be read then. */
static const char exec_text[] =
	"\n/* As /proc/TID/stat, but a task in execve does not keep us waiting. */\n"
	"static int read_status(FILE *file, int *tid, char *state, int *group)\n"
	"{\n"
	"\tchar line[256];\n"
	"\tint n = 0;\n"
	"\n"
	"\twhile (fgets(line, sizeof(line), file))\n"
	"\t\tn += sscanf(line, \"Pid: %d\", tid) == 1 || sscanf(line, \"State: %c\", "
	"state) "
	"== 1 ||\n"
	"\t\t     sscanf(line, \"NSpgid: %d\", group) == 1;\n"
	"\treturn n;\n"
	"}\n"
	"\n"
	"/* In begin_new_exec a task holds its exec_update_lock: who opens its stack "
	"waits, a "
	"child of ours. */\n"
	"static int read_stack(const char *path, char *buf, size_t size)\n"
	"{\n"
	"\tint fds[2], n = 0, got, status;\n"
	"\tpid_t child;\n"
	"\n"
	"\tTRY(pipe(fds));\n"
	"\tif (!(child = fork())) {\n"
	"\t\talarm(2);\n"
	"\t\tn = read(open(path, O_RDONLY), buf, size);\n"
	"\t\t_exit(n > 0 && write(fds[1], buf, n) < n);\n"
	"\t}\n"
	"\tclose(fds[1]);\n"
	"\twhile ((got = read(fds[0], buf + n, size - n)) > 0)\n"
	"\t\tn += got;\n"
	"\tclose(fds[0]);\n"
	"\twaitpid(child, &status, 0);\n"
	"\tif (WIFSIGNALED(status))\n"
	"\t\tn = sprintf(buf, \"[<0>] begin_new_exec+? (nobody can read more: it holds "
	"exec_update_lock)\\n\");\n"
	"\tbuf[n] = '\\0';\n"
	"\treturn n;\n"
	"}\n";

/* %: whom it leaves out, file of the thread, how that is read, whom it leaves out, reading of the stack. */
static const char look_text[] =
	"\n/* Looks at every thread of our process group%s, and sends it sig. */\n"
	"static void look(int sig)\n"
	"{\n"
	"\tchar path[64], state;\n"
	"\tint tid, group, n;\n"
	"\tsize_t len = 0;\n"
	"\tglob_t stats;\n"
	"\tFILE *file;\n"
	"\n"
	"\ttext[0] = root[0] = '\\0';\n"
	"\tglob(\"/proc/[0-9]*/task/[0-9]*/%s\", 0, NULL, &stats);\n"
	"\tfor (size_t i = 0; i < stats.gl_pathc; i++) {\n"
	"\t\tif (!(file = fopen(stats.gl_pathv[i], \"r\")))\n"
	"\t\t\tcontinue;\n"
	"\t\tn = %s;\n"
	"\t\tfclose(file);\n"
	"\t\tif (n != 3 || group != getpgrp() || tid == getpid()%s)\n"
	"\t\t\tcontinue;\n"
	"\t\tkill(tid, sig);\n"
	"\t\tsnprintf(path, sizeof(path), \"/proc/%%d/stack\", tid);\n"
	"%s"
	"\t\ttext[len + n] = '\\0';\n";

static const char plain_stack[] =
	"\t\tif (state == 'Z' || len > sizeof(text) / 2 || !(file = fopen(path, "
	"\"r\")))\n"
	"\t\t\tcontinue; /* a zombie is reapable, or its threads tell why not */\n"
	"\t\tlen += sprintf(text + len, \"task %d, state %c\\n\", tid, state);\n"
	"\t\tn = fread(text + len, 1, sizeof(text) - len - 1, file);\n"
	"\t\tfclose(file);\n";

static const char exec_stack[] =
	"\t\tif (state == 'Z' || len > sizeof(text) / 2)\n"
	"\t\t\tcontinue; /* a zombie is reapable, or its threads tell why not */\n"
	"\t\tlen += sprintf(text + len, \"task %d, state %c\\n\", tid, state);\n"
	"\t\tn = read_stack(path, text + len, sizeof(text) - len - 1);\n"
	"\t\tif (strstr(text + len, \" begin_new_exec+?\"))\n"
	"\t\t\tsprintf(root, \"task %d in begin_new_exec, state %c\", tid, state);\n";

static void emit_look(struct emitter *em)
{
	bool execs = em->needs.execs;

	emit(em, "%s", results_text);
	if (execs)
		emit(em, "%s", exec_text);
	emit(em, look_text, em->needs.kill_daemon ? "" : " but the server's",
	     execs ? "status" : "stat",
	     execs ? "read_status(file, &tid, &state, &group)"
		   : "fscanf(file, \"%d (%*[^)]) %c %*d %d\", &tid, &state, &group)",
	     em->needs.kill_daemon
		     ? ""
		     : " ||\n\t\t    atoi(stats.gl_pathv[i] + 6) == shared->server",
	     execs ? exec_stack : plain_stack);
	emit(em,
	     "\t\tif (strstr(text + len, %s))\n"
	     "\t\t\tsprintf(root, \"task %%d in %s, state %%c\", tid, state);\n"
	     "\t\tlen += n;\n"
	     "\t}\n"
	     "\tglobfree(&stats);\n"
	     "}\n",
	     *em->facts->frame ? "\" \" FRAME \"+\"" : "\"fuse_\"",
	     *em->facts->frame ? "\" FRAME \"" : "FUSE");
}

static void emit_set_up(struct emitter *em)
{
	unsigned int mount = em->scn->config.mount;
	bool leak = em->scn->config.daemon & DAEMON_LEAK_FD;

	emit(em,
	     "\tTRY(unshare(CLONE_NEWNS));\n"
	     "\tTRY(mount(NULL, \"/\", NULL, MS_REC | MS_PRIVATE, NULL));\n"
	     "\tTRY(dev = open(\"/dev/fuse\", O_RDWR%s%s));\n",
	     em->needs.polling ? " | O_NONBLOCK" : "", leak ? "" : " | O_CLOEXEC");
	emit(em,
	     "\tsnprintf(path, sizeof(path), "
	     "\"fd=%%d,rootmode=40000,user_id=0,group_id=0,allow_other%s%s\", "
	     "dev);\n",
	     mount & MOUNT_DEFAULT_PERMISSIONS ? ",default_permissions" : "",
	     mount & MOUNT_MAX_READ_4K ? ",max_read=4096" : "");
	emit(em,
	     "\tif (mount(\"repro\", MNT, \"fuse.repro\", MS_NOSUID | MS_NODEV%s%s, "
	     "path))\n"
	     "\t\terr(2, \"mount on \" MNT);\n"
	     "\t/* The name of the connection is the minor of its device. */\n"
	     "\tstatx(AT_FDCWD, MNT, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &stx);\n"
	     "\tmount(\"none\", \"/sys/fs/fuse/connections\", \"fusectl\", 0, NULL); /* "
	     "or it "
	     "is */\n"
	     "\tsnprintf(path, sizeof(path), \"/sys/fs/fuse/connections/%%u/abort\", "
	     "stx.stx_dev_minor);\n"
	     "\tTRY(abort_fd = open(path, O_WRONLY | O_CLOEXEC));\n",
	     mount & MOUNT_NOATIME ? " | MS_NOATIME" : "",
	     mount & MOUNT_SYNC ? " | MS_SYNCHRONOUS" : "");
}

static bool has_ctl(const struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (scn->steps[i].actor == ACTOR_CTL)
			return true;
	return false;
}

/* A step has a third of a second: a task takes it, or it is done right here. */
static void emit_steps(struct emitter *em)
{
	const struct scenario *scn = em->scn;

	if (!has_ctl(scn) && !(em->needs.holds & HOLD_STEP)) {
		/* Step 0: all tasks come to be, INIT is answered. */
		emit(em,
		     "\tfor (%s = 0; %s <= %u; ++%s)\n"
		     "\t\tusleep(300000); /* by then it has returned, or it is blocked "
		     "*/\n",
		     step_now(em), step_now(em), scn->n_steps, step_now(em));
		return;
	}
	emit(em, "\tstep(0); /* all are there, INIT is answered */\n");
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		char line[200] = "";

		scenario_format_step(&scn->steps[i], line, sizeof(line));
		emit(em, "\tstep(%u); /* %s */\n", i + 1, line);
		if (scn->steps[i].actor == ACTOR_CTL) {
			op_code_emit(em, &scn->steps[i]);
			emit(em, "\tusleep(300000);\n");
		}
	}
}

static void emit_start(struct emitter *em)
{
	const struct scenario *scn = em->scn;
	unsigned int home = scenario_namespace(scn, ACTOR_DAEMON);

	if (scn->config.placement == PLACE_INSIDE)
		emit_spawn(em, scenario_task(scn, home)); /* with the server in it */
	else if (scn->config.placement == PLACE_INIT)
		emit(em,
		     "\tif (!syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0))\n"
		     "\t\tserver();\n");
	else
		emit(em, "\tif (!fork())\n\t\tserver();\n");
	emit(em, "\tclose(dev);\n");
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (scn->tasks[i].parent == ACTOR_CTL && !scn->tasks[i].late &&
		    !(scn->config.placement == PLACE_INSIDE && scn->tasks[i].id == home))
			emit_spawn(em, &scn->tasks[i]);
}

static const char verdict_text[] =
	"\tfor (look(SIGKILL); strcmp(before, text) && ++tries < 10; look(0)) {\n"
	"\t\tstrcpy(before, text);\n"
	"\t\tsleep(1);\n"
	"\t}\n"
	"\tstuck = *root && tries < 10; /* else it goes on */\n"
	"\tprintf(\"%s%s, connection %u\\n%s\", stuck ? \"REPRODUCED: \" : \"not "
	"reproduced\", "
	"root,\n"
	"\t       stx.stx_dev_minor, text);\n"
	"\treturn stuck;\n"
	"}\n";

static const char guard_text[] = "\tif (!leave && !fork()) { /* frees them when we have "
				 "ended, however, or take too "
				 "long */\n"
				 "\t\tclose(dev);\n"
				 "\t\tsetpgid(0, 0);\n"
				 "\t\tpoll(&(struct pollfd){syscall(SYS_pidfd_open, "
				 "self, 0), POLLIN, 0}, 1, %u);\n"
				 "\t\tTRY(write(abort_fd, \"1\", 1));\n"
				 "\t\t_exit(kill(-self, SIGKILL));\n"
				 "\t}\n";

/* Twice what it takes where nothing is in the way, and a minute, in milliseconds. */
static unsigned int deadline(const struct scenario *scn)
{
	unsigned int ms = 30000;

	for (unsigned int i = 0; i < scn->n_steps; i++)
		ms += 350 + (scn->steps[i].op == OP_sleep ? scn->steps[i].v : 0);
	return ms * 2;
}

static void emit_step_function(struct emitter *em)
{
	if (!has_ctl(em->scn) && !(em->needs.holds & HOLD_STEP))
		return;
	emit(em,
	     "\n/* A step has a third of a second: then it has returned, or it is "
	     "blocked. */\n"
	     "static void step(int number)\n"
	     "{\n%s"
	     "\t%s = number;\n"
	     "\tusleep(300000);\n"
	     "}\n",
	     (em->needs.holds & HOLD_STEP)
		     ? "\tshared->coming = number;\n\tusleep(50000);\n"
		     : "",
	     step_now(em));
}

void emit_watch(struct emitter *em)
{
	const struct needs *needs = &em->needs;

	emit_look(em);
	emit_step_function(em);
	emit(em, "\nint main(int argc, char **argv)\n"
		 "{\n"
		 "\tint leave = argc > 1 && !strcmp(argv[1], \"--leave\"), self = "
		 "getpid(), tries = 0, stuck;\n"
		 "\tstruct statx stx = {0};\n"
		 "\tchar path[128];\n\n");
	if (needs->image_outside)
		emit(em, "\tif (!strcmp(argv[0], \"pause\")) /* executed by a task */\n"
			 "\t\treturn pause();\n");
	emit(em,
	     "\tsetpgid(0, 0); /* a process group of our own tells who is ours */\n"
	     "\t%s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | "
	     "MAP_ANONYMOUS, -1, 0);\n",
	     shares_more(needs) ? "shared" : "step_now");
	for (unsigned int i = 0; needs->shared_files && i < SCN_FD_SLOTS; i++)
		if (needs->fds & 1u << i)
			emit(em, "\tshared->fd%u = -1;\n", i);
	emit_set_up(em);
	emit(em, guard_text, deadline(em->scn));
	emit_start(em);
	emit_steps(em);
	emit(em, "%s", verdict_text);
}

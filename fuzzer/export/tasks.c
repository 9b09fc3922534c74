/* SPDX-License-Identifier: MIT */
/* The tasks of an exported file: one function each, its steps in their order. */

#include "harness/scenario/tables.h"
#include "harness/scenario/text.h"
#include "parts.h"

static bool is_thread(const struct scn_task *task)
{
	return task->kind == TASK_THREAD;
}

static bool has_stack(const struct scn_task *task)
{
	return task->kind == TASK_VFORK || task->kind == TASK_VM;
}

void emit_spawn(struct emitter *em, const struct scn_task *task)
{
	switch (task->kind) {
	case TASK_THREAD:
		emit(em, "\tpthread_create(&(pthread_t){0}, NULL, t%u, NULL);\n",
		     task->id);
		break;
	case TASK_PIDNS:
		emit(em,
		     "\tif (!syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, "
		     "0))\n\t\tt%u();\n",
		     task->id);
		break;
	case TASK_FILES:
		emit(em,
		     "\tif (!syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, "
		     "0))\n\t\tt%u();\n",
		     task->id);
		break;
	case TASK_VFORK:
	case TASK_VM:
		emit(em,
		     "\tTRY(clone(t%u, t%u_stack + sizeof(t%u_stack), CLONE_VM%s | "
		     "SIGCHLD, "
		     "NULL));\n",
		     task->id, task->id, task->id,
		     task->kind == TASK_VFORK ? " | CLONE_VFORK" : "");
		break;
	default:
		emit(em, "\tif (!fork())\n\t\tt%u();\n", task->id);
	}
}

void emit_heirs(struct emitter *em, unsigned int parent)
{
	for (unsigned int i = 0; i < em->scn->n_tasks; i++)
		if (em->scn->tasks[i].parent == parent && !em->scn->tasks[i].late)
			emit_spawn(em, &em->scn->tasks[i]);
}

static void emit_prototype(struct emitter *em, const struct scn_task *task)
{
	emit(em,
	     is_thread(task)   ? "static void *t%u(void *arg)"
	     : has_stack(task) ? "static int t%u(void *arg)"
			       : "static void t%u(void)",
	     task->id);
}

static void emit_signature(struct emitter *em, const struct scn_task *task)
{
	char parent[16];

	if (task->parent == ACTOR_DAEMON)
		snprintf(parent, sizeof(parent), " of the server");
	else if (task->parent < SCN_MAX_TASKS)
		snprintf(parent, sizeof(parent), " of t%u", task->parent);
	else
		parent[0] = '\0';
	if (has_stack(task))
		emit(em, "\nstatic char t%u_stack[65536];\n", task->id);
	if (task->kind == TASK_PIDNS)
		emit(em, "\n/* The init of a pid namespace. */\n");
	else
		emit(em, "\n/* A %s%s. */\n",
		     is_thread(task)   ? "thread"
		     : has_stack(task) ? "process in the memory"
				       : "child",
		     *parent ? parent : " of main()");
	emit_prototype(em, task);
	emit(em, "\n{\n");
}

/* Does the actor's last step end it? Else it stays. */
static bool ends(const struct scenario *scn, unsigned int actor)
{
	bool ends = false;

	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (scn->steps[i].actor == actor)
			ends = scn->steps[i].op == OP_exit_group ||
			       scn->steps[i].op == OP_exit;
	return ends;
}

/* Is it its actor's next step, with nothing in between that could still be going on? */
static bool follows(const struct scenario *scn, unsigned int i)
{
	const struct scn_step *before = &scn->steps[i - 1];

	return i && before->actor == scn->steps[i].actor &&
	       (before->op == OP_unshare || !(op_table[before->op].flags & OPF_RUNS));
}

static void emit_task(struct emitter *em, const struct scn_task *task)
{
	const struct scenario *scn = em->scn;
	char line[200];

	emit_signature(em, task);
	if (em->needs.published & 1u << task->id)
		emit(em, "\tshared->t%u = %s;\n", task->id,
		     em->needs.nested ? "outer_tid()" : "gettid()");
	if (em->needs.published & 1u << task->id && em->needs.inner)
		emit(em, "\tshared->t%u_inner = gettid();\n", task->id);
	if (scn->config.placement == PLACE_INSIDE &&
	    scenario_namespace(scn, ACTOR_DAEMON) == task->id)
		emit(em, "\tif (!fork())\n\t\tserver();\n\tclose(dev);\n");
	emit_heirs(em, task->id);
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *step = &scn->steps[i];

		if (step->actor != task->id)
			continue;
		scenario_format_step(step, line, sizeof(line));
		if (!follows(scn, i))
			emit(em, "\tturn(%u); /* %s */\n", i + 1, line);
		op_code_emit(em, step);
	}
	if (!ends(scn, task->id))
		emit(em, "\tfor (;;)\n\t\tpause();\n");
	if (is_thread(task))
		emit(em, "\treturn arg;\n");
	else if (has_stack(task))
		emit(em, "\treturn !arg;\n");
	emit(em, "}\n");
}

static bool below_daemon(const struct scenario *scn, const struct scn_task *task)
{
	while (task && task->parent != ACTOR_DAEMON)
		task = scenario_task(scn, task->parent);
	return task != NULL;
}

/* Steps that the server's main thread takes between two requests. */
static void emit_server_steps(struct emitter *em)
{
	const struct scenario *scn = em->scn;
	char line[200];

	emit(em, "\nstatic void server_step(int step)\n{\n");
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		if (scn->steps[i].actor != ACTOR_DAEMON)
			continue;
		scenario_format_step(&scn->steps[i], line, sizeof(line));
		emit(em, "\tif (step == %u) { /* %s */\n", i + 1, line);
		op_code_emit(em, &scn->steps[i]);
		emit(em, "\t}\n");
	}
	emit(em, "}\n");
}

static const char serve_blocking[] =
	"\nstatic void *serve(void *arg)\n"
	"{\n"
	"\t_Alignas(struct fuse_in_header) char request[%u];\n"
	"\n"
	"%s"
	"\tfor (;;)\n"
	"\t\tif (read(dev, request, sizeof(request)) > 0)\n"
	"\t\t\thandle((void *)request);\n"
	"\t\telse if (errno != ENOENT && errno != EINTR) /* aborted */\n"
	"\t\t\t_exit(0);\n"
	"\treturn arg;\n"
	"}\n";

static const char serve_polling[] =
	"\nstatic void *serve(void *arg)\n"
	"{\n"
	"\t_Alignas(struct fuse_in_header) char request[%u];\n"
	"\n"
	"%s"
	"\tfor (;; usleep(500)) {\n"
	"%s"
	"\t\tif (read(dev, request, sizeof(request)) > 0)\n"
	"\t\t\thandle((void *)request);\n"
	"\t\telse if (errno != EAGAIN && errno != ENOENT && errno != EINTR) /* aborted "
	"*/\n"
	"\t\t\t_exit(0);\n"
	"\t}\n"
	"\treturn arg;\n"
	"}\n";

/* What the main thread and every further one do before they serve. */
static void thread_start(struct emitter *em, char *buf, size_t size)
{
	const struct scn_config *config = &em->scn->config;
	int n = 0;

	buf[0] = '\0';
	if (em->needs.server_ids)
		n = snprintf(buf, size, "\tshared->serving[(int)(long)arg] = %s;\n",
			     em->needs.nested ? "outer_tid()" : "gettid()");
	if (config->daemon & DAEMON_CLONE_FD && em->needs.threads)
		snprintf(buf + n, size - n,
			 "\tif (arg) { /* a device of its own */\n"
			 "\t\tint first = first_dev;\n\n"
			 "\t\tdev = open(\"/dev/fuse\", O_RDWR | O_CLOEXEC%s);\n"
			 "\t\tTRY(ioctl(dev, FUSE_DEV_IOC_CLONE, &first));\n"
			 "\t}\n",
			 em->needs.polling ? " | O_NONBLOCK" : "");
}

/* With one thread, and nothing to watch, the main thread's loop is all there is. */
static bool plain(const struct emitter *em)
{
	return em->scn->config.threads == 1 && !em->needs.polling &&
	       !em->needs.server_ids;
}

static void emit_serve(struct emitter *em)
{
	const struct needs *needs = &em->needs;
	char start[512], watch[512] = "";
	size_t n = 0;

	if (plain(em))
		return;
	thread_start(em, start, sizeof(start));
	if (!needs->polling) {
		emit(em, serve_blocking, em->needs.max_write + 4096, start);
		return;
	}
	if (needs->daemon_steps)
		n += snprintf(watch + n, sizeof(watch) - n,
			      "\t\tif (!arg && %s != taken)\n"
			      "\t\t\tserver_step(taken = %s);\n",
			      step_now(em), step_now(em));
	if (needs->holds & HOLD_WATCHED)
		n += snprintf(watch + n, sizeof(watch) - n, "\t\tanswer_held();\n");
	if (needs->close_dev)
		n += snprintf(watch + n, sizeof(watch) - n,
			      "\t\tif (shared->close_dev) {\n"
			      "\t\t\tif (dev >= 0)\n"
			      "\t\t\t\tclose(dev);\n"
			      "\t\t\tdev = -1;\n"
			      "\t\t\tcontinue;\n"
			      "\t\t}\n");
	if (needs->gate)
		snprintf(watch + n, sizeof(watch) - n,
			 "\t\tif (shared->gate_closed)\n\t\t\tcontinue;\n");
	if (needs->daemon_steps)
		emit(em, "\nstatic int taken;\n");
	emit(em, serve_polling, em->needs.max_write + 4096, start, watch);
}

/* The helper that keeps a file of the server's own mount open. */
static const char own_file_text[] = "\nstatic void *open_own_file(void *arg)\n"
				    "{\n"
				    "%s"
				    "\tTRY(open(MNT \"/f0\", O_RDWR | O_CLOEXEC));\n"
				    "\treturn arg;\n"
				    "}\n";

static void emit_server_main(struct emitter *em)
{
	const struct scn_config *config = &em->scn->config;
	bool own_file = config->daemon & DAEMON_SELF_FILE;
	char id[80] = "";

	if (own_file && em->needs.server_ids)
		snprintf(id, sizeof(id), "\tshared->serving[%u] = %s;\n", config->threads,
			 em->needs.nested ? "outer_tid()" : "gettid()");
	if (own_file)
		emit(em, own_file_text, id);
	emit(em, "\nstatic void server(void)\n{\n");
	if (plain(em))
		emit(em, "\t_Alignas(struct fuse_in_header) char request[%u];\n\n",
		     em->needs.max_write + 4096);
	if (em->needs.server_pid)
		emit(em, "\tshared->server = %s;\n",
		     em->needs.nested ? "outer_tid()" : "getpid()");
	if (em->needs.inner && em->needs.published & 1u << ACTOR_DAEMON)
		emit(em, "\tshared->server_inner = getpid();\n");
	if (config->daemon & DAEMON_CLONE_FD && em->needs.threads)
		emit(em, "\tfirst_dev = dev;\n");
	if (own_file)
		emit(em,
		     "\tpthread_create(&(pthread_t){0}, NULL, open_own_file, NULL);\n");
	for (unsigned int i = 1; i < config->threads; i++)
		emit(em, "\tpthread_create(&(pthread_t){0}, NULL, serve, (void *)%u);\n",
		     i);
	emit_heirs(em, ACTOR_DAEMON);
	if (plain(em))
		emit(em, "\tfor (;;)\n"
			 "\t\tif (read(dev, request, sizeof(request)) > 0)\n"
			 "\t\t\thandle((void *)request);\n"
			 "\t\telse if (errno != ENOENT && errno != EINTR) /* aborted */\n"
			 "\t\t\t_exit(0);\n"
			 "}\n");
	else
		emit(em, "\tserve(NULL);\n}\n");
}

/* Where in the file an actor's function stands: see emit_tasks(). */
static unsigned int position(const struct scenario *scn, unsigned int actor)
{
	const struct scn_task *task = scenario_task(scn, actor);

	if (!task)
		return SCN_MAX_TASKS;
	return scn->tasks + scn->n_tasks - task +
	       (below_daemon(scn, task) ? 0 : SCN_MAX_TASKS);
}

/* Of those that are spawned by a function that stands before theirs. */
static void emit_declarations(struct emitter *em)
{
	const struct scenario *scn = em->scn;

	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *step = &scn->steps[i];
		const struct scn_task *task = scenario_task(scn, step->a);

		if (step->op != OP_spawn ||
		    position(scn, step->actor) >= position(scn, step->a))
			continue;
		emit(em, "\n");
		if (has_stack(task))
			emit(em, "static char t%u_stack[65536];\n", task->id);
		emit_prototype(em, task);
		emit(em, ";\n");
	}
}

void emit_tasks(struct emitter *em)
{
	const struct scenario *scn = em->scn;

	emit_declarations(em);
	/* Children before their parents: few declarations are needed. */
	for (unsigned int i = scn->n_tasks; i-- > 0;)
		if (below_daemon(scn, &scn->tasks[i]))
			emit_task(em, &scn->tasks[i]);
	if (em->needs.daemon_steps)
		emit_server_steps(em);
	emit_serve(em);
	emit_server_main(em);
	for (unsigned int i = scn->n_tasks; i-- > 0;)
		if (!below_daemon(scn, &scn->tasks[i]))
			emit_task(em, &scn->tasks[i]);
}

/* SPDX-License-Identifier: MIT */
/* Every scenario of the corpus, every fault, every operation as C: refused in one line, or compiled without a warning. */

#include <dirent.h>
#include <errno.h>
#include <linux/fuse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fuzzer/export/export.h"
#include "fuzzer/mutate/generate.h"
#include "fuzzer/finding/scenario_file.h"
#include "harness/scenario/tables.h"
#include "scenario_text.h"

static char dir[] = "/tmp/test_export-XXXXXX";
static unsigned int n_written, n_refused;

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* The text of the C file; the caller frees it. NULL: refused, for the reason in why[200]. */
static char *export(const struct scenario *scn, enum verdict verdict, char *why)
{
	struct export_facts facts = {.title = "test",
				     .verdict = verdict,
				     .reason = "no reason",
				     .frame = verdict == VERDICT_PINNED ? "fuse_flush"
									: ""};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret;

	why[0] = '\0';
	ret = export_c(scn, &facts, out, why);
	fclose(out);
	if (!ret) {
		assert_true(len > 0);
		return text;
	}
	free(text);
	assert_int_equal(ret, -EOPNOTSUPP);
	assert_true(why[0] && !strchr(why, '\n'));
	return NULL;
}

/* Leaves a file to compile, in turn with and without the death of the server. Was it exported? */
static bool write_one(const struct scenario *scn, const char *name, char *why)
{
	static bool dead;
	char *text = export(scn, dead ? VERDICT_PINNED : VERDICT_LOST, why);
	char path[400];
	FILE *file;

	dead = !dead;
	if (!text) {
		n_refused++;
		return false;
	}
	snprintf(path, sizeof(path), "%s/%s.c", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	free(text);
	n_written++;
	return true;
}

static void export_folder(const char *folder, unsigned int at_least)
{
	DIR *list = opendir(folder);
	struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(list);
	while ((entry = readdir(list))) {
		char path[400], err[SCENARIO_FILE_ERROR], why[200];
		struct scenario scn;

		if (!strstr(entry->d_name, ".txt"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		assert_int_equal(scenario_file_load(path, &scn, err), 0);
		if (write_one(&scn, entry->d_name, why))
			n++;
		else if (!strstr(why, "has no C form"))
			fail_msg("%s: %s", path, why);
	}
	closedir(list);
	assert_true(n >= at_least);
}

static void test_corpus(void **state)
{
	(void)state;
	export_folder("corpus/hangs", 19);
	export_folder("corpus/seeds", 20);
}

/* The notifications and what else a server does to itself: the exported server has none of it yet. */
static bool fault_without_c(unsigned int action)
{
	return action >= FAULT_block;
}

/* Each with a step that releases what is held, and in a plan with a rule that holds. */
static void test_faults(void **state)
{
	struct scenario scn = parsed("task t0: fork\n"
				     "fault: READ: hold\n"
				     "fault: LOOKUP #2 from t0: errno EIO\n"
				     "t0: open fd0 f0 rdonly\n"
				     "t0: read fd0 4096\n"
				     "ctl: release 1\n");
	char why[200], name[100];

	(void)state;
	for (unsigned int action = 0; action < FAULT_COUNT; action++) {
		struct scenario one = scn;

		one.faults[1].action = (uint8_t)action;
		one.faults[1].value = action == FAULT_error ? EIO : 2;
		if (!strncmp(fault_table[action].name, "intr_", 5)) {
			one.faults[1].opcode = FUSE_INTERRUPT;
			one.faults[1].requester = ACTOR_ANY;
		}
		scenario_canonicalise(&one);
		assert_int_equal(one.faults[1].action, action);
		snprintf(name, sizeof(name), "fault-%s", fault_table[action].name);
		if (write_one(&one, name, why) == fault_without_c(action))
			fail_msg("%s: %s", name, why);
		/* Alone, as the only rule, and without a release: nothing is left unused. */
		one.faults[0] = one.faults[1];
		one.n_faults = 1;
		one.n_steps = 2;
		scenario_canonicalise(&one);
		snprintf(name, sizeof(name), "alone-%s", fault_table[action].name);
		if (write_one(&one, name, why) == fault_without_c(action))
			fail_msg("%s: %s", name, why);
	}
}

/* What has no C form; a new one belongs here only for a reason: it needs more than one call, or a ring, or ids that the
 * exported tree does not publish. */
static bool without_c(unsigned int op)
{
	static const uint8_t ops[] = {
		OP_inval_inode,	   OP_inval_entry, OP_splice_read,  OP_splice_write,
		OP_vmsplice_write, OP_tmpfile,	   OP_open_handle,  OP_inotify,
		OP_fanotify,	   OP_epoll_del,   OP_epoll_nest,   OP_select,
		OP_mincore,	   OP_mremap,	   OP_write_mapped, OP_read_mapped,
		OP_peek,	   OP_uring_read,  OP_uring_write,  OP_uring_work,
		OP_uring_fsync,	   OP_uring_poll,  OP_uring_open,   OP_uring_statx,
		OP_setns_mount,	   OP_setns_pid,   OP_umount,	    OP_umount_force,
		OP_umount_lazy,	   OP_bind_mount,  OP_handle_stat,  OP_handle_restart,
		OP_sigwait,	   OP_pidfd_kill,  OP_clone3_exit,  OP_fork_exec,
		OP_subreaper,	   OP_pdeathsig,   OP_unoccupy};

	return memchr(ops, (int)op, sizeof(ops)) != NULL;
}

static void test_operations(void **state)
{
	char why[200], name[100];

	(void)state;
	for (unsigned int op = 0; op < OP_COUNT; op++) {
		struct scenario scn = parsed("task t0: fork\n"
					     "task t1: fork of t0\n"
					     "task t2: vfork of t0 late\n"
					     "fault: READ: hold\n"
					     "t0: open fd0 f0 rdwr\n"
					     "t0: mmap map0 fd0 rw|shared 4096\n"
					     "t0: nop\n");
		struct scn_step *step = &scn.steps[2];

		step->op = (uint8_t)op;
		step->a = op == OP_spawn ? 2 : op == OP_wait ? 1 : 0;
		step->v = 100;
		if (op_table[op].who == WHO_CTL)
			step->actor = ACTOR_CTL;
		else if (op_table[op].who == WHO_DAEMON)
			step->actor = ACTOR_DAEMON;
		scenario_canonicalise(&scn);
		assert_int_equal(scn.steps[2].op, op);
		snprintf(name, sizeof(name), "op-%s", op_table[op].name);
		if (write_one(&scn, name, why) == without_c(op))
			fail_msg("%s: %s", name, *why ? why : "it has a C form");
	}
}

/* Whatever the mutator can think of: combinations that nobody wrote by hand. */
static void test_random(void **state)
{
	struct rng rng;
	char why[200], name[100];

	(void)state;
	rng_init(&rng, 1);
	for (unsigned int i = 0; i < 30; i++) {
		struct scenario scn;

		generate_scenario(&rng, &scn);
		snprintf(name, sizeof(name), "random-%u", i);
		write_one(&scn, name, why);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"config: daemon=init\nfault: READ: kill_before\n",
		 "'kill_before': the init of a pid namespace"},
		{"config: threads=2 clone_fd\nfault: INTERRUPT: intr_again\n",
		 "'intr_again' with several devices"},
		{"task t0: fork\nfault: INTERRUPT from t0: intr_enosys\n",
		 "INTERRUPT does not say who"},
		{"task t0: pidns\ntask t1: fork\nt0: kill t1 SIGUSR1\n",
		 "t0 and the target of its kill"},
	};
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario scn = parsed(rows[i].text);

		assert_null(export(&scn, VERDICT_LOST, why));
		if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("'%s' instead of '%s'", why, rows[i].why);
	}
	struct scenario scn = parsed("t0: nop\n");

	assert_null(export(&scn, VERDICT_CLEAN, why));
	assert_non_null(strstr(why, "no stuck task"));
}

/* All files in one go, a compiler each, side by side. */
static void test_compile(void **state)
{
	static const char *const compilers[] = {"gcc", "clang"};
	pid_t pid[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		char command[400];

		snprintf(
			command, sizeof(command),
			"! command -v %s > /dev/null || exec %s -fsyntax-only -std=gnu17 "
			"-Wall -Wextra -Werror %s/*.c",
			compilers[i], compilers[i], dir);
		pid[i] = fork();
		if (!pid[i]) {
			execl("/bin/sh", "sh", "-c", command, NULL);
			_exit(127);
		}
	}
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	print_message("%u files compiled, %u scenarios refused\n", n_written, n_refused);
	assert_true(n_written > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),	   cmocka_unit_test(test_faults),
		cmocka_unit_test(test_operations), cmocka_unit_test(test_random),
		cmocka_unit_test(test_refusals),   cmocka_unit_test(test_compile),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

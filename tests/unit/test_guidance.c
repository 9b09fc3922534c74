/* SPDX-License-Identifier: MIT */
/* What makes guidance: the outlook of a scenario, its traits, the archive, the choice among candidates. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/fuse.h>
#include <cmocka.h>

#include "fuzzer/mutate/choose.h"
#include "fuzzer/mutate/generate.h"
#include "scenario_random.h"
#include "scenario_text.h"

/* Number of waits; the first of them in *ret. */
static unsigned int waits_of(const char *text, struct outlook_wait *ret)
{
	struct scenario scn = parsed(text);
	struct outlook outlook;

	outlook_init(&outlook, &scn);
	*ret = outlook.wait[0];
	return outlook.n_waits;
}

static void assert_wait(const char *text, unsigned int role, unsigned int phase,
			unsigned int opcode)
{
	struct outlook_wait wait;

	if (waits_of(text, &wait) != 1)
		fail_msg("not one wait: %s", text);
	assert_int_equal(wait.role, role);
	assert_int_equal(wait.phase, phase);
	assert_int_equal(wait.opcode, opcode);
}

#define ONE "config: daemon=outside threads=1\ntask t0: fork\n"

static void test_waits(void **state)
{
	(void)state;
	assert_wait(ONE "fault: OPEN: drop\nt0: open fd0 f0 rdwr\n", OUT_WORKER,
		    OUT_RUNNING, FUSE_OPEN);
	/* The name is looked up before the file is opened. */
	assert_wait(ONE "fault: any from t0: drop\nt0: open fd0 f0 rdwr\n", OUT_WORKER,
		    OUT_RUNNING, FUSE_LOOKUP);
	assert_wait(ONE "fault: FLUSH: drop\nt0: open fd0 f0 rdwr\nt0: exit 0\n",
		    OUT_WORKER, OUT_EXIT, FUSE_FLUSH);
	/* Nobody ends it: the recovery does. */
	assert_wait(ONE "fault: FLUSH: drop\nt0: open fd0 f0 rdwr\n", OUT_WORKER,
		    OUT_EXIT, FUSE_FLUSH);
	assert_wait(ONE "fault: FLUSH: drop\nt0: open fd0 f0 rdonly|cloexec\n"
			"t0: exec outside\n",
		    OUT_WORKER, OUT_EXEC, FUSE_FLUSH);
	/* Without O_CLOEXEC it is the program that has the file when it is killed. */
	assert_wait(ONE "fault: FLUSH: drop\nt0: open fd0 f0 rdonly\nt0: exec outside\n",
		    OUT_OTHER, OUT_EXIT, FUSE_FLUSH);
	/* mm_populate() reads what the mapping is of. */
	assert_wait(ONE "fault: READ: drop\nt0: open fd0 f0 rdwr\n"
			"t0: mmap map0 fd0 rw|shared|populate 4096\n",
		    OUT_WORKER, OUT_RUNNING, FUSE_READ);
	/* A thread of a process that the daemon has forked serves nothing. */
	assert_wait("config: daemon=outside threads=1\ntask t0: fork of daemon\n"
		    "task t1: thread of t0\nfault: OPEN: drop\nt1: open fd0 f0 rdwr\n",
		    OUT_HEIR, OUT_RUNNING, FUSE_OPEN);
	/* The only serving thread asks itself. */
	assert_wait(ONE "daemon: stat f0\n", OUT_DAEMON, OUT_RUNNING, FUSE_LOOKUP);
	assert_wait("config: daemon=inside threads=2\ntask t0: pidns\n"
		    "fault: OPEN: drop\nt0: open fd0 f0 rdwr\n",
		    OUT_INIT, OUT_RUNNING, FUSE_OPEN);
}

static void test_no_waits(void **state)
{
	struct outlook_wait wait;

	(void)state;
	assert_int_equal(waits_of(ONE "t0: open fd0 f0 rdwr\nt0: exit 0\n", &wait), 0);
	/* A rule that nothing meets, or for somebody else. */
	assert_int_equal(waits_of(ONE "fault: MKDIR: drop\nt0: stat f0\n", &wait), 0);
	assert_int_equal(
		waits_of(ONE "fault: any from daemon: drop\nt0: stat f0\n", &wait), 0);
	/* Only the second one is withheld, and there is but one. */
	assert_int_equal(
		waits_of(ONE "fault: OPEN #2: drop\nt0: open fd0 f0 rdwr\n", &wait), 0);
	/* RELEASE is nobody's wait. */
	assert_int_equal(
		waits_of(ONE
			 "fault: RELEASE: drop\nt0: open fd0 f0 rdwr\nt0: close fd0\n",
			 &wait),
		0);
	/* Every request waits for INIT, but so that SIGKILL ends it. */
	assert_int_equal(waits_of(ONE "fault: INIT: drop\nt0: open fd0 f0 rdwr\n", &wait),
			 0);
	/* It ends with the lookup: a directory is not written, what is not there not opened. */
	assert_int_equal(waits_of(ONE "fault: OPEN: drop\nt0: open fd0 d0 rdwr\n", &wait),
			 0);
	assert_int_equal(waits_of(ONE "fault: OPEN: drop\nt0: open fd0 n0 rdwr\n", &wait),
			 0);
	assert_int_equal(waits_of(ONE "fault: READDIR: drop\nt0: readdir f0\n", &wait),
			 0);
	/* No descriptor came of the open, and closing a directory sends nothing. */
	assert_int_equal(waits_of(ONE "fault: OPEN: errno EIO\nfault: FLUSH: drop\n"
				      "t0: open fd0 f0 rdwr\nt0: exit 0\n",
				  &wait),
			 0);
	assert_int_equal(waits_of(ONE "fault: FLUSH: drop\nt0: open fd0 d0 rdonly\n"
				      "t0: exit 0\n",
				  &wait),
			 0);
	/* Outside of the mount; a descriptor that is not open. */
	assert_int_equal(waits_of(ONE
				  "fault: any from t0: drop\nt0: open fd0 out rdonly\n",
				  &wait),
			 0);
	assert_int_equal(
		waits_of(ONE "fault: any from t0: drop\nt0: read fd3 10\n", &wait), 0);
	/* The kernel does not send it with this flag. */
	assert_int_equal(waits_of(ONE "init: no_flush\nfault: FLUSH: drop\n"
				      "t0: open fd0 f0 rdwr\nt0: exit 0\n",
				  &wait),
			 0);
	/* Answered with the signal that ends the run. */
	assert_int_equal(waits_of(ONE
				  "fault: OPEN: hold_until_kill\nt0: open fd0 f0 rdwr\n",
				  &wait),
			 0);
}

#define HEAD                                                                             \
	"config: daemon=inside threads=2\ntask t0: pidns\ntask t1: thread of daemon\n"   \
	"fault: FLUSH from t1: drop\n"
#define INCIDENT                                                                         \
	HEAD "t1: open fd0 f0 rdwr\nt1: unshare files\nt1: exit 0\nt0: exit_group 0\n"

/* Who still has the device keeps the connection, and with it those that wait. */
static void test_daemon_ends(void **state)
{
	struct scenario scn = parsed(ONE "ctl: kill daemon SIGKILL\nt0: stat f0\n");
	struct outlook outlook;

	(void)state;
	outlook_init(&outlook, &scn);
	assert_true(outlook.daemon_gone && !outlook.deaf);
	assert_false(outlook.step[1].waits);
	scn = parsed("config: daemon=outside threads=1\ntask t0: fork\n"
		     "task t1: fork of daemon\nctl: kill daemon SIGKILL\nt0: stat f0\n");
	outlook_init(&outlook, &scn);
	assert_true(!outlook.daemon_gone && outlook.deaf);
	assert_true(outlook.step[1].waits);
	/* In its namespace nobody outlives its init. */
	scn = parsed("config: daemon=init threads=1\ntask t0: fork\n"
		     "task t1: fork of daemon\ntask t2: pidns of t1\n"
		     "ctl: kill daemon SIGKILL\nt2: stat f0\n");
	outlook_init(&outlook, &scn);
	assert_true(outlook.daemon_gone && !outlook.step[1].runs);
}

static void test_ends(void **state)
{
	struct scenario scn = parsed(INCIDENT);
	struct outlook outlook;

	(void)state;
	outlook_init(&outlook, &scn);
	assert_int_equal(outlook.n_runs, 4);
	assert_int_equal(outlook.step[2].ends, OUT_BY_EXIT);
	assert_int_equal(outlook.step[2].role, OUT_SERVER);
	assert_int_equal(outlook.step[2].holds, OUT_HOLDS_FILE | OUT_OWN_TABLE);
	assert_int_equal(outlook.step[2].opcode, FUSE_FLUSH);
	assert_true(outlook.step[2].waits);
	assert_int_equal(outlook.step[3].ends, OUT_BY_GROUP);
	assert_int_equal(outlook.step[3].role, OUT_INIT);
	scn = parsed(HEAD "t1: open fd0 f0 rdwr\nt1: exit 0\n");
	outlook_init(&outlook, &scn);
	assert_int_equal(outlook.step[1].holds, OUT_HOLDS_FILE);
}

static void traits_of(const char *text, struct traits *traits)
{
	struct scenario scn = parsed(text);
	struct outlook outlook;

	outlook_init(&outlook, &scn);
	traits_init(traits, &scn, &outlook);
}

static bool same(const struct traits *a, const struct traits *b)
{
	return a->n == b->n && !memcmp(a->trait, b->trait, a->n * sizeof(a->trait[0]));
}

static bool has(const struct traits *traits, uint32_t hash)
{
	for (unsigned int i = 0; i < traits->n; i++)
		if (traits->trait[i].hash == hash)
			return true;
	return false;
}

static void test_traits(void **state)
{
	struct traits a, b;

	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	traits_of(INCIDENT, &a);
	traits_of(INCIDENT, &b);
	assert_true(same(&a, &b));
	assert_true(has(&a, trait_of_rule(FUSE_FLUSH, FAULT_drop)));
	assert_true(has(&a, trait_of_step(OUT_SERVER, OP_unshare)));
	assert_false(has(&a, trait_of_step(OUT_WORKER, OP_unshare)));
	/* Other names of tasks and files are no other traits; another way to end is. */
	traits_of("config: daemon=inside threads=2\ntask t3: pidns\n"
		  "task t0: thread of daemon\nfault: FLUSH from t0: drop\n"
		  "t0: open fd1 f1 rdwr\nt0: unshare files\nt0: exit 0\n"
		  "t3: exit_group 0\n",
		  &b);
	assert_true(same(&a, &b));
	traits_of(HEAD "t1: open fd0 f0 rdwr\nt1: unshare files\nt1: exit 0\n"
		       "ctl: kill t0 SIGKILL\n",
		  &b);
	assert_false(same(&a, &b));
}

static void test_traits_are_bounded(void **state)
{
	struct traits traits;
	struct outlook outlook;
	struct scenario scn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (int i = 0; i < ROUNDS(20000); i++) {
		random_scenario(&rng, &scn);
		outlook_init(&outlook, &scn);
		assert_true(outlook.n_runs <= scn.n_steps);
		assert_true(outlook.n_waits <= OUTLOOK_WAITS);
		traits_init(&traits, &scn, &outlook);
		assert_in_range(traits.n, 1, TRAITS_MAX);
		for (unsigned int k = 0; k < traits.n; k++)
			for (unsigned int j = 0; j < k; j++)
				assert_int_not_equal(traits.trait[j].hash,
						     traits.trait[k].hash);
	}
}

static void test_archive(void **state)
{
	struct archive *archive = archive_new();
	struct traits a, b;
	uint64_t first;

	(void)state;
	assert_non_null(archive);
	traits_of(ONE "fault: OPEN: drop\nt0: open fd0 f0 rdwr\n", &a);
	traits_of(ONE "fault: READ: drop\nt0: open fd0 f0 rdwr\nt0: read fd0 9\n", &b);
	assert_int_equal(archive_count(archive, a.trait[0].hash), 0);
	assert_int_equal(archive_count(NULL, a.trait[0].hash), 0);
	first = archive_novelty(archive, &a, GOAL_ROOTS);
	assert_int_equal(first, archive_novelty(NULL, &a, GOAL_ROOTS));
	archive_add(archive, &a);
	assert_int_equal(archive_count(archive, a.trait[0].hash), 1);
	assert_true(archive_novelty(archive, &a, GOAL_ROOTS) * 2 <= first + a.n);
	assert_true(archive_novelty(archive, &b, GOAL_ROOTS) >
		    archive_novelty(archive, &a, GOAL_ROOTS));
	for (int i = 0; i < 70000; i++)
		archive_add(archive, &a);
	assert_int_equal(archive_count(archive, a.trait[0].hash), UINT16_MAX);
	archive_free(archive);
}

/* The same seed and the same queue give the same inputs. */
static void test_choice_is_deterministic(void **state)
{
	struct archive *archive[2] = {archive_new(), archive_new()};
	struct scenario entry = parsed(INCIDENT), made[2];
	struct rng rng[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		rng_init(&rng[i], 5);
	for (int n = 0; n < ROUNDS(100); n++) {
		const char *how[2];

		for (int i = 0; i < 2; i++) {
			struct choose_env env = {.rng = &rng[i],
						 .archive = archive[i],
						 .entry = &entry,
						 .pool = &entry,
						 .n_pool = 1};

			how[i] = choose_scenario(&env, 8, &made[i]);
		}
		assert_string_equal(how[0], how[1]);
		assert_true(scenario_equal(&made[0], &made[1]));
		assert_null(not_canonical(&made[0]));
	}
	archive_free(archive[0]);
	archive_free(archive[1]);
}

/* Distinct foretold endings among this many inputs. */
static unsigned int endings(unsigned int candidates, unsigned int inputs)
{
	struct archive *archive = archive_new(), *seen = archive_new();
	unsigned int fresh = 0;
	struct rng rng;

	rng_init(&rng, 6);
	for (unsigned int i = 0; i < inputs; i++) {
		struct choose_env env = {.rng = &rng, .archive = archive};
		struct outlook outlook;
		struct scenario scn;
		struct traits traits;

		choose_scenario(&env, candidates, &scn);
		outlook_init(&outlook, &scn);
		traits_init(&traits, &scn, &outlook);
		for (unsigned int k = 0; k < traits.n; k++)
			fresh += traits.trait[k].kind == KIND_ENDING &&
				 !archive_count(seen, traits.trait[k].hash);
		archive_add(seen, &traits);
	}
	archive_free(archive);
	archive_free(seen);
	return fresh;
}

/* What it is for: the choice sends out what was not sent out before. */
static void test_choice_is_novel(void **state)
{
	unsigned int blind = endings(1, 300), guided = endings(24, 300);

	(void)state;
	print_message("new endings in 300 inputs: %u of one candidate, %u of 24\n", blind,
		      guided);
	assert_true(guided > 2 * blind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_no_waits),
		cmocka_unit_test(test_daemon_ends),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_traits),
		cmocka_unit_test(test_traits_are_bounded),
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_choice_is_deterministic),
		cmocka_unit_test(test_choice_is_novel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A broker and its clients: answers, clients that vanish, junk, deadlines; the map that results give. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "fuzzer/campaign/address.h"
#include "fuzzer/campaign/broker.h"
#include "fuzzer/campaign/client.h"
#include "fuzzer/campaign/map.h"
#include "fuzzer/util/duration.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/tables.h"

static char address[64];
static struct broker broker;
static pthread_t thread;
static int runs;

/* Verdict by number of steps; ten steps take 300 ms. */
static int canned_run(void *ctx, const struct scenario *scn, uint32_t flags,
		      struct result *res)
{
	(void)ctx;
	(void)flags;
	runs++;
	if (scn->n_steps == 10)
		poll(NULL, 0, 300);
	res->verdict = scn->n_steps % VERDICT_COUNT;
	res->signature = scn->n_steps;
	return 0;
}

/* Odd signatures are known. */
static bool canned_known(void *ctx, const struct result *res)
{
	(void)ctx;
	return res->signature % 2;
}

static void *serve(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)broker_loop(&broker);
}

static int set_up(void **state)
{
	(void)state;
	runs = 0;
	snprintf(address, sizeof(address), "@sf-test-%d", getpid());
	broker = (struct broker){.listen_fd = address_listen(address),
				 .stop_fd = eventfd(0, EFD_CLOEXEC),
				 .run = canned_run,
				 .known = canned_known};
	if (broker.listen_fd < 0)
		return -1;
	return pthread_create(&thread, NULL, serve, NULL);
}

static int tear_down(void **state)
{
	void *ret;

	(void)state;
	eventfd_write(broker.stop_fd, 1);
	pthread_join(thread, &ret);
	close(broker.stop_fd);
	close(broker.listen_fd);
	return (int)(intptr_t)ret;
}

static int run_steps(struct client *client, unsigned int steps, int timeout_ms,
		     struct result *res)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario scn;
	int len;

	scenario_init(&scn);
	scn.n_steps = steps;
	for (unsigned int i = 0; i < steps; i++)
		scn.steps[i] = (struct scn_step){.actor = ACTOR_CTL, .op = OP_barrier};
	len = scenario_encode(&scn, bytes, sizeof(bytes));
	assert_true(len > 0);
	result_init(res);
	return client_run(client, bytes, len, timeout_ms, res);
}

static void test_answers(void **state)
{
	struct client a, b;
	struct result res;

	(void)state;
	client_init(&a, address);
	client_init(&b, address);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(run_steps(&a, i, 2000, &res), 0);
		assert_int_equal(res.verdict, i);
		assert_int_equal(run_steps(&b, i + 1, 2000, &res), 0);
		assert_int_equal(res.signature, i + 1);
		assert_int_equal(a.known, i % 2);
		assert_int_equal(b.known, (i + 1) % 2);
	}
	client_release(&a);
	assert_int_equal(run_steps(&b, 3, 2000, &res), 0);
	client_release(&b);
	assert_int_equal(runs, 11);
}

static void test_deadline_and_vanished_client(void **state)
{
	struct client slow, next;
	struct result res;

	(void)state;
	client_init(&slow, address);
	client_init(&next, address);
	/* It gives up and hangs up; the broker finishes, finds nobody there, and serves the next one. */
	assert_int_equal(run_steps(&slow, 10, 50, &res), -ETIMEDOUT);
	assert_int_equal(slow.fd, -1);
	assert_int_equal(run_steps(&next, 4, 2000, &res), 0);
	assert_int_equal(res.signature, 4);
	/* The late answer to the first request is not taken for the one to the second. */
	assert_int_equal(run_steps(&slow, 2, 2000, &res), 0);
	assert_int_equal(res.signature, 2);
	client_release(&slow);
	client_release(&next);
}

static void test_junk(void **state)
{
	char junk[4096];
	struct client client;
	struct result res;
	int fd = address_connect(address);

	(void)state;
	assert_true(fd >= 0);
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	client_init(&client, address);
	assert_int_equal(run_steps(&client, 1, 5000, &res), 0);
	/* The junk's sender was hung up on. */
	assert_true(read(fd, junk, sizeof(junk)) <= 0);
	close(fd);
	client_release(&client);
}

static void test_nobody_listens(void **state)
{
	struct client client;
	struct result res;

	(void)state;
	client_init(&client, "@sf-test-nobody");
	assert_int_equal(run_steps(&client, 1, 100, &res), -ECONNREFUSED);
	client_init(&client, "/tmp/sf-test-no-such-socket");
	assert_int_equal(run_steps(&client, 1, 100, &res), -ENOENT);
	assert_int_equal(address_listen(""), -EINVAL);
}

static unsigned int count_cells(const uint8_t *map)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MAP_SIZE; i++)
		n += map[i];
	return n;
}

static void test_map(void **state)
{
	static uint8_t map[MAP_SIZE], other[MAP_SIZE];
	static struct result res;

	(void)state;
	result_init(&res);
	res.verdict = VERDICT_INFRA;
	map_fill(map, &res, false);
	assert_int_equal(count_cells(map), 1);
	assert_int_equal(map[0], 1);
	res.verdict = VERDICT_LOST;
	res.signature = 77;
	res.n_cells = 3;
	res.cells[0] = 1;
	res.cells[1] = 2;
	res.cells[2] = 0xffffffff;
	map_fill(map, &res, false);
	assert_int_equal(count_cells(map), 1 + 3 + 3);
	/* A crash is its signature, whatever else the run showed. */
	res.verdict = VERDICT_PINNED;
	map_fill(map, &res, true);
	assert_int_equal(count_cells(map), 2);
	res.n_cells = 1;
	map_fill(other, &res, true);
	assert_memory_equal(map, other, MAP_SIZE);
	res.signature = 78;
	map_fill(other, &res, true);
	assert_memory_not_equal(map, other, MAP_SIZE);
}

static void test_signals(void **state)
{
	uint64_t seen = 0;

	(void)state;
	for (int i = 0; i < VERDICT_COUNT; i++) {
		int sig = map_signal(i);

		assert_int_equal(sig != 0,
				 verdict_table[i].severity >= SEVERITY_CONTRACT);
		assert_true(sig == 0 || !(seen & 1ull << sig));
		assert_int_not_equal(sig, 9);
		seen |= sig ? 1ull << sig : 0;
	}
}

static void test_duration(void **state)
{
	char text[32];

	(void)state;
	assert_int_equal(duration_parse("60s"), 60);
	assert_int_equal(duration_parse("90"), 90);
	assert_int_equal(duration_parse("10m"), 600);
	assert_int_equal(duration_parse("8h"), 28800);
	assert_int_equal(duration_parse("2d"), 172800);
	assert_int_equal(duration_parse(""), -EINVAL);
	assert_int_equal(duration_parse("-5s"), -EINVAL);
	assert_int_equal(duration_parse("5x"), -EINVAL);
	assert_int_equal(duration_parse("5mm"), -EINVAL);
	assert_int_equal(duration_parse("99999999999999999999"), -EINVAL);
	duration_format(3661, text);
	assert_string_equal(text, "1:01:01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deadline_and_vanished_client, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_junk, set_up, tear_down),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

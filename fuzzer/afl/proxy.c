/* SPDX-License-Identifier: MIT */
/*
 * The AFL++ target: passes each input to a broker, fills the coverage map from the result
 * and dies by the verdict's signal. It touches neither FUSE nor any task of a run, so
 * afl-fuzz can always kill it.
 *
 * Linked with AFL++'s own runtime object; without afl-fuzz it runs one scenario from its
 * standard input and prints a line.
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fuzzer/campaign/address.h"
#include "fuzzer/campaign/client.h"
#include "fuzzer/campaign/map.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/text.h"

#define INPUT_MAX   (1u << 20) /* AFL++'s own limit, MAX_FILE */
#define DEADLINE_MS 60000
#define RETRIES	    3

/* AFL++'s runtime: afl-compiler-rt.o. */
extern unsigned char *__afl_area_ptr;
extern unsigned int *__afl_fuzz_len;
extern unsigned char *__afl_fuzz_ptr;
extern int __afl_sharedmem_fuzzing;
int __afl_persistent_loop(unsigned int count);
void __afl_manual_init(void);

/* afl-fuzz looks for these strings in the binary: persistent mode, fork server started by
 * us. */
static volatile const char *markers[] = {"##SIG_AFL_PERSISTENT##",
					 "##SIG_AFL_DEFER_FORKSRV##"};

int __afl_sharedmem_fuzzing = 1;

static unsigned char input[INPUT_MAX];

struct proxy {
	struct client client;
	enum severity crash_at;
	bool under_afl;
};

static size_t read_input(void)
{
	size_t have = 0;
	ssize_t n;

	while (have < sizeof(input)) {
		n = read(STDIN_FILENO, input + have, sizeof(input) - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += n;
	}
	return have;
}

static void report(const struct result *res)
{
	const struct verdict_info *info = &verdict_table[res->verdict];

	printf("%s-%016llx %s rung %s, %u cells: %s\n", info->name,
	       (unsigned long long)res->signature, severity_names[info->severity],
	       rung_names[res->rung], res->n_cells, res->reason);
	fflush(stdout);
}

static _Noreturn void no_broker(const char *address, int err)
{
	fprintf(stderr,
		"shortfuse-afl: no broker at %s: %s; start one with "
		"'shortfuse serve --socket PATH' and set " SOCKET_ENV "=PATH\n",
		address ? address : "(" SOCKET_ENV " is not set)", strerror(-err));
	exit(3);
}

/* Trouble of our own is tried again; then the run has shown nothing: an empty map but for
 * cell 0. */
static void run_one(struct proxy *proxy, const void *scn, size_t len, struct result *res)
{
	int ret = 0;

	for (int i = 0; i < RETRIES; i++) {
		result_release(res);
		result_init(res);
		ret = client_run(&proxy->client, scn, len, DEADLINE_MS, res);
		if (ret == 0 && res->verdict != VERDICT_INFRA)
			return;
		/* Nobody listens any more: the campaign has gone. Without one there is
		 * nothing to do. */
		if (ret == -ECONNREFUSED || ret == -ENOENT)
			no_broker(proxy->client.address, ret);
	}
	if (ret == 0)
		return;
	res->verdict = VERDICT_INFRA;
	snprintf(res->reason, sizeof(res->reason), "the broker does not answer: %s",
		 strerror(-ret));
}

static void finish(const struct proxy *proxy, const struct result *res)
{
	enum severity severity = verdict_table[res->verdict].severity;
	bool crash = severity >= proxy->crash_at && !proxy->client.known;

	map_fill(__afl_area_ptr, res, crash);
	if (!proxy->under_afl)
		report(res);
	if (crash) {
		signal(map_signal(res->verdict), SIG_DFL);
		raise(map_signal(res->verdict));
	}
}

/* Contract findings are kept by the campaign, but crashes for AFL++ are bugs and worse.
 */
static enum severity threshold(void)
{
	const char *name = getenv("SHORTFUSE_CRASH_AT");
	int severity = name ? severity_by_name(name) : SEVERITY_BUG;

	if (severity <= SEVERITY_INFRA) {
		fprintf(stderr,
			"shortfuse-afl: SHORTFUSE_CRASH_AT=%s: expected contract, bug or "
			"poison\n",
			name);
		exit(2);
	}
	return severity;
}

static void run_input(struct proxy *proxy, unsigned char *buf, size_t len,
		      struct result *res)
{
	static unsigned char bytes[SCN_MAX_BYTES];
	struct text_error error;
	struct scenario scn;
	int n;

	/* By hand a scenario may be given as text; under afl-fuzz bytes are bytes. */
	if (!proxy->under_afl && scenario_is_text((char *)buf, len)) {
		if (scenario_parse((char *)buf, len, &scn, &error) < 0) {
			fprintf(stderr, "shortfuse-afl: line %u, column %u: %s\n",
				error.line, error.column, error.message);
			exit(2);
		}
		n = scenario_encode(&scn, bytes, sizeof(bytes));
		buf = bytes;
		len = n;
	}
	run_one(proxy, buf, len, res);
	finish(proxy, res);
}

int main(void)
{
	struct proxy proxy = {.under_afl = getenv("__AFL_SHM_ID") != NULL};
	const char *address = getenv(SOCKET_ENV);
	static struct result res;

	(void)markers[0];
	signal(SIGPIPE, SIG_IGN);
	/* Its death is a message: no core dump, which a core_pattern pipe would write at
	 * any limit. */
	prctl(PR_SET_DUMPABLE, 0);
	proxy.crash_at = threshold();
	if (!address)
		no_broker(NULL, -ENOENT);
	client_init(&proxy.client, address);
	result_init(&res);
	/* Between two runs it is stopped: nothing else would end it with its fork server, and that one with
	 * afl-fuzz. Not inherited by fork(2), hence twice. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	__afl_manual_init();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (__afl_persistent_loop(1000000)) {
		if (__afl_fuzz_ptr)
			run_input(&proxy, __afl_fuzz_ptr, *__afl_fuzz_len, &res);
		else
			run_input(&proxy, input, read_input(), &res);
	}
	result_release(&res);
	client_release(&proxy.client);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The store of findings: once a signature, smallest input, whole folders only, a full disk. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fuzzer/campaign/file.h"
#include "fuzzer/campaign/findings.h"
#include "fuzzer/campaign/inflight.h"
#include "fuzzer/mutate/edit.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/tables.h"

static char path[64];
static int dir_fd;

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/sf-findings-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(dir_fd);
	return file_remove_tree(AT_FDCWD, path);
}

static void make_scenario(struct scenario *scn, unsigned int steps)
{
	struct scn_step step = {.op = OP_stat, .a = PATH_F0};

	scenario_init(scn);
	for (unsigned int i = 0; i < steps; i++)
		edit_insert_step(scn, i, &step);
	scenario_canonicalise(scn);
}

static void make_result(struct result *res, enum verdict verdict, uint64_t signature)
{
	static char json[] = "{\"kmsg\":[\"one\",\"two\"]}";

	result_init(res);
	res->verdict = verdict;
	res->signature = signature;
	res->json = json; /* never released */
	res->json_len = strlen(json);
	snprintf(res->reason, sizeof(res->reason), "because of a test");
}

static bool exists(const char *name)
{
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

static unsigned int count_entries(const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	assert_true(fd >= 0);
	dir = fdopendir(fd);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return n;
}

static void assert_content(const char *name, const struct scenario *want)
{
	struct scenario scn;
	char *data;
	size_t len;

	assert_int_equal(file_read(dir_fd, name, SCN_MAX_BYTES, &data, &len), 0);
	scenario_decode(data, len, &scn);
	free(data);
	assert_true(scenario_equal(&scn, want));
}

static int truncate_at(const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -errno : close(fd);
}

#define PINNED "findings/bug/pinned-0000000000001234"

static void test_once_per_signature(void **state)
{
	struct findings store;
	struct scenario scn;
	struct result res;

	(void)state;
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	make_scenario(&scn, 5);
	make_result(&res, VERDICT_CLEAN, 0);
	assert_int_equal(findings_add(&store, &scn, &res, 1, NULL), FINDINGS_NONE);
	make_result(&res, VERDICT_INFRA, 0);
	assert_int_equal(findings_add(&store, &scn, &res, 2, NULL), FINDINGS_NONE);
	make_result(&res, VERDICT_PINNED, 0x1234);
	assert_int_equal(findings_add(&store, &scn, &res, 3, NULL), FINDINGS_NEW);
	assert_int_equal(findings_add(&store, &scn, &res, 4, NULL), FINDINGS_KNOWN);
	make_result(&res, VERDICT_LOST, 0x1234);
	assert_int_equal(findings_add(&store, &scn, &res, 5, NULL), FINDINGS_NEW);
	assert_int_equal(store.n, 2);
	assert_int_equal(store.list[0]->count, 2);
	assert_int_equal(findings_count(&store, true), 1);
	assert_int_equal(findings_count(&store, false), 1);
	assert_int_equal(count_entries("findings/bug"), 1);
	assert_int_equal(count_entries("findings/contract"), 1);
	assert_true(exists(PINNED "/scenario.txt"));
	assert_true(exists(PINNED "/snapshot.json"));
	assert_true(exists(PINNED "/finding.json"));
	assert_int_equal(faccessat(dir_fd, PINNED "/repro.sh", X_OK, 0), 0);
	assert_content(PINNED "/scenario.bin", &scn);
	assert_content(PINNED "/first.bin", &scn);
	findings_close(&store);
}

static void add_with_roots(struct findings *store, enum verdict verdict,
			   const char *roots)
{
	static uint64_t run;
	struct scenario scn;
	struct result res;
	char json[200];

	run++;
	make_scenario(&scn, 3);
	make_result(&res, verdict, 0x100 + run);
	snprintf(json, sizeof(json), "{\"roots\": \"%s\"}", roots);
	res.json = json;
	assert_int_equal(findings_add(store, &scn, &res, run, NULL), FINDINGS_NEW);
}

static void check_causes(struct findings *store)
{
	static const unsigned int new_roots[] = {1, 1, 0, 1};

	assert_int_equal(store->n, 4);
	for (unsigned int i = 0; i < store->n; i++)
		assert_int_equal(store->list[i]->new_roots, new_roots[i]);
	assert_int_equal(findings_new_roots(store, store->list[1]->signature,
					    store->list[1]->verdict),
			 1);
	assert_int_equal(findings_new_roots(store, 0x9999, VERDICT_PINNED), 0);
	assert_int_equal(findings_causes(store, true), 2);
	assert_int_equal(findings_causes(store, false), 1);
}

/* Four signatures of two causes, one of which is also a contract hang's; an interrupted campaign knows them, too. */
static void test_root_causes(void **state)
{
	struct findings store;

	(void)state;
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	add_with_roots(&store, VERDICT_PINNED, "server fuse_flush exit");
	add_with_roots(&store, VERDICT_PINNED,
		       "init fuse_open running; server fuse_flush exit");
	add_with_roots(&store, VERDICT_DEAF, "init fuse_open running");
	add_with_roots(&store, VERDICT_LOST, "init fuse_open running");
	check_causes(&store);
	findings_close(&store);
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	check_causes(&store);
	findings_close(&store);
}

static void test_flag_at_bug(void **state)
{
	struct findings store;
	struct scenario scn;
	struct result res;

	(void)state;
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_BUG, "host"), 0);
	make_scenario(&scn, 1);
	make_result(&res, VERDICT_HELD, 1);
	assert_int_equal(findings_add(&store, &scn, &res, 1, NULL), FINDINGS_NONE);
	make_result(&res, VERDICT_UNREAPABLE, 1);
	assert_int_equal(findings_add(&store, &scn, &res, 2, NULL), FINDINGS_NEW);
	findings_close(&store);
}

static void test_smallest_input(void **state)
{
	struct scenario first, small, smaller, shorter;
	struct findings store;
	struct result res;

	(void)state;
	make_scenario(&first, 9);
	make_scenario(&small, 4);
	make_scenario(&shorter, 8);
	make_scenario(&smaller, 2);
	make_result(&res, VERDICT_PINNED, 0x1234);
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	findings_add(&store, &first, &res, 1, NULL);
	findings_replayed(&store, 0x1234, VERDICT_PINNED, 4, 5);
	/* A little shorter is not worth the runs that show whether it replays. */
	assert_int_equal(findings_add(&store, &shorter, &res, 2, NULL), FINDINGS_KNOWN);
	assert_int_equal(findings_add(&store, &small, &res, 2, NULL), FINDINGS_SMALLER);
	assert_content(PINNED "/scenario.bin", &first);
	findings_replace(&store, &small, &res, 5, 5);
	assert_content(PINNED "/scenario.bin", &small);
	assert_content(PINNED "/first.bin", &first);
	/* Smaller still, but it replays worse: not better. */
	findings_replace(&store, &smaller, &res, 3, 5);
	assert_content(PINNED "/scenario.bin", &small);
	assert_int_equal(findings_add(&store, &first, &res, 3, NULL), FINDINGS_KNOWN);
	findings_close(&store);
}

static void test_survives_a_crash(void **state)
{
	struct findings store;
	struct scenario scn;
	struct result res;
	int fd;

	(void)state;
	make_scenario(&scn, 3);
	make_result(&res, VERDICT_PINNED, 0x1234);
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	findings_add(&store, &scn, &res, 7, NULL);
	findings_add(&store, &scn, &res, 8, NULL);
	findings_replayed(&store, 0x1234, VERDICT_PINNED, 5, 5);
	findings_close(&store);
	/* A folder that was being made when the process died. */
	fd = file_make_dir(dir_fd, "findings/bug/.stuck-0000000000000001");
	assert_int_equal(file_write(fd, "scenario.bin", "x", 1), 0);
	close(fd);

	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	assert_int_equal(store.n, 1);
	assert_int_equal(store.list[0]->count, 2);
	assert_int_equal(store.list[0]->first_run, 7);
	assert_int_equal(store.list[0]->replayed, 5);
	assert_true(scenario_equal(&store.list[0]->scn, &scn));
	assert_false(exists("findings/bug/.stuck-0000000000000001"));
	assert_int_equal(findings_add(&store, &scn, &res, 9, NULL), FINDINGS_KNOWN);
	findings_close(&store);
}

static void test_inflight(void **state)
{
	struct scenario scn, back;
	int fd = inflight_open(dir_fd, 3);

	(void)state;
	assert_true(fd >= 0);
	make_scenario(&scn, 6);
	assert_int_equal(inflight_get(fd, &back), 0);
	assert_int_equal(inflight_set(fd, &scn, true), 0);
	close(fd);
	fd = inflight_open(dir_fd, 3);
	assert_int_equal(inflight_get(fd, &back), 1);
	assert_true(scenario_equal(&scn, &back));
	inflight_clear(fd);
	assert_int_equal(inflight_get(fd, &back), 0);
	close(fd);
}

static void test_torn_line(void **state)
{
	char *data;
	size_t len;
	int fd = openat(dir_fd, "lines", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(write(fd, "torn", 4), 4);
	close(fd);
	assert_int_equal(file_append(dir_fd, "lines", "one\n"), 0);
	assert_int_equal(file_append(dir_fd, "lines", "two\n"), 0);
	assert_int_equal(file_read(dir_fd, "lines", 100, &data, &len), 0);
	assert_string_equal(data, "torn\none\ntwo\n");
	free(data);
}

/* What a power cut leaves of a folder: the record of one, the smallest input of another. */
static void test_half_written(void **state)
{
	struct findings store;
	struct scenario scn;
	struct result res;

	(void)state;
	make_scenario(&scn, 3);
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	make_result(&res, VERDICT_PINNED, 0x1234);
	findings_add(&store, &scn, &res, 1, NULL);
	make_result(&res, VERDICT_LOST, 0x1234);
	findings_add(&store, &scn, &res, 2, NULL);
	findings_close(&store);
	assert_int_equal(truncate_at(PINNED "/finding.json"), 0);
	assert_int_equal(
		truncate_at("findings/contract/lost-0000000000001234/scenario.bin"), 0);

	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	assert_int_equal(store.n, 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(store.list[i]->signature, 0x1234);
		assert_string_equal(store.list[i]->reason, "because of a test");
		assert_true(scenario_equal(&store.list[i]->scn, &scn));
	}
	assert_int_equal(findings_flush(&store), 0);
	findings_close(&store);
	assert_content("findings/contract/lost-0000000000001234/scenario.bin", &scn);
	assert_int_equal(findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"), 0);
	assert_false(store.list[0]->damaged || store.list[1]->damaged);
	findings_close(&store);
}

static void fill_disk(int fd)
{
	char block[4096] = "x";
	int big = openat(fd, "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (write(big, block, sizeof(block)) > 0)
		;
	close(big);
}

static void test_disk_full(void **state)
{
	struct findings store;
	struct scenario scn;
	struct result res;
	int fd, own_fd = dir_fd;

	(void)state;
	if (geteuid() || mount("tmpfs", path, "tmpfs", 0, "size=256k")) {
		print_message("skipped: mounting a small tmpfs needs root\n");
		skip();
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir_fd = fd;
	make_scenario(&scn, 3);
	assert_int_equal(findings_open(&store, fd, SEVERITY_CONTRACT, "host"), 0);
	make_result(&res, VERDICT_PINNED, 0x1234);
	findings_add(&store, &scn, &res, 1, NULL);
	fill_disk(fd);
	make_result(&res, VERDICT_PINNED, 0x9999);
	assert_int_equal(findings_add(&store, &scn, &res, 2, NULL), FINDINGS_NEW);
	assert_int_equal(store.error, -ENOSPC);
	assert_int_equal(findings_flush(&store), 1);
	assert_int_equal(count_entries("findings/bug"), 1);
	/* What was there is whole, though it was to be changed. */
	findings_replayed(&store, 0x1234, VERDICT_PINNED, 1, 1);
	assert_content(PINNED "/scenario.bin", &scn);
	unlinkat(fd, "filler", 0);
	assert_int_equal(findings_flush(&store), 0);
	assert_int_equal(count_entries("findings/bug"), 2);
	assert_content("findings/bug/pinned-0000000000009999/scenario.bin", &scn);
	findings_close(&store);
	close(fd);
	dir_fd = own_fd;
	assert_int_equal(umount(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once_per_signature, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_root_causes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flag_at_bug, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_smallest_input, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_survives_a_crash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_torn_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inflight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_disk_full, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

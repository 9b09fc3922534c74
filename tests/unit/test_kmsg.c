/* SPDX-License-Identifier: MIT */
/* The kernel log, read from a marker that the test itself writes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/snapshot/kmsg.h"

static void test_kmsg(void **state)
{
	char marker[80], later[80];
	char line[512];
	struct kmsg kmsg;
	int fd, found = 0, second = 0, total = 0;

	(void)state;
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		print_message("/dev/kmsg: %s\n", strerror(errno));
		skip();
	}
	/* without its newline a record is not final, and nobody reads it before the next one */
	snprintf(marker, sizeof(marker), "snapshot test %d before\n", getpid());
	snprintf(later, sizeof(later), "snapshot test %d \\ \x1b[1m\nline 2\n", getpid());
	assert_true(write(fd, marker, strlen(marker)) > 0);
	marker[strlen(marker) - 1] = '\0';
	assert_int_equal(kmsg_open(&kmsg), 0);
	assert_true(write(fd, later, strlen(later)) > 0);
	snprintf(later, sizeof(later), "] snapshot test %d \\ ?[1m", getpid());
	for (int i = 0; i < 100000 && kmsg_next(&kmsg, line, sizeof(line)) > 0; i++) {
		assert_null(strstr(line, marker));
		if (second)
			second = strstr(line, "] line 2") ? second + 1 : 0;
		if (strstr(line, later)) {
			found++;
			second = 1;
			assert_int_equal(line[0], '[');
		}
		total += second == 2;
	}
	assert_int_equal(found, 1);
	assert_int_equal(total, 1);
	/* skipped, cut, closed */
	assert_true(write(fd, "skipped\n", 8) > 0);
	kmsg_skip(&kmsg);
	assert_true(write(fd, "to be cut\n", 10) > 0);
	assert_int_equal(kmsg_next(&kmsg, line, 8), 7);
	assert_int_equal(strlen(line), 7);
	kmsg_close(&kmsg);
	assert_int_equal(kmsg_next(&kmsg, line, sizeof(line)), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kmsg),
	};

	return cmocka_run_group_tests_name("kmsg", tests, NULL, NULL);
}

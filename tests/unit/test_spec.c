/* SPDX-License-Identifier: MIT */
/* What is a property of a guest in a target's name, and what belongs to the name. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "targets/spec.h"

static int parse(const char *text, struct target_options *ret, char *err)
{
	static char buf[SPEC_MAX];
	struct target_options opt = {.spec = text, .cpu = 3};

	return spec_parse(&opt, buf, ret, err);
}

static void test_properties(void **state)
{
	struct target_options opt;
	char err[300];

	(void)state;
	assert_int_equal(parse("qemu:6.12+cpus=4+memory=1024", &opt, err), 0);
	assert_string_equal(opt.spec, "qemu:6.12");
	assert_int_equal(opt.cpus, 4);
	assert_int_equal(opt.memory_mb, 1024);
	assert_int_equal(opt.cpu, 3);
	assert_int_equal(parse("uml+virtual-time", &opt, err), 0);
	assert_string_equal(opt.spec, "uml");
	assert_true(opt.virtual_time);
}

static void test_with(void **state)
{
	char *spec = spec_with("uml:linux+memory=512", "virtual-time"), err[300];
	struct target_options opt;

	(void)state;
	assert_string_equal(spec, "uml:linux+memory=512+virtual-time");
	assert_int_equal(parse(spec, &opt, err), 0);
	assert_string_equal(opt.spec, "uml:linux");
	assert_int_equal(opt.memory_mb, 512);
	assert_true(opt.virtual_time);
	free(spec);
}

/* The rest of the text, whatever is in it. */
static void test_server(void **state)
{
	char *spec = spec_with_server("host", "bindfs -o a+cpus=9 {src} {mnt}"), err[300];
	struct target_options opt;

	(void)state;
	assert_int_equal(parse(spec, &opt, err), 0);
	assert_string_equal(opt.spec, "host");
	assert_string_equal(opt.server, "bindfs -o a+cpus=9 {src} {mnt}");
	assert_int_equal(opt.cpus, 0);
	free(spec);
	assert_int_equal(parse("host", &opt, err), 0);
	assert_null(opt.server);
}

static void test_plus_in_names(void **state)
{
	struct target_options opt;
	char err[300];

	(void)state;
	assert_int_equal(parse("qemu:vmlinuz-6.12.117+deb12", &opt, err), 0);
	assert_string_equal(opt.spec, "qemu:vmlinuz-6.12.117+deb12");
	assert_int_equal(parse("qemu:a+deb12.deb,b+x.deb+cpus=2", &opt, err), 0);
	assert_string_equal(opt.spec, "qemu:a+deb12.deb,b+x.deb");
	assert_int_equal(opt.cpus, 2);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {"uml+memory=1", "uml+memory=x",
					  "uml+memory=", "qemu:6.1+cpus=0",
					  "qemu:6.1+cpus=65"};
	struct target_options opt;
	char err[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_int_equal(parse(bad[i], &opt, err), -EINVAL);
		assert_non_null(strchr(err, '='));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties), cmocka_unit_test(test_with),
		cmocka_unit_test(test_server),	   cmocka_unit_test(test_plus_in_names),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

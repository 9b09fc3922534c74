/* SPDX-License-Identifier: MIT */
/* Which kernel a name stands for, from what apt prints. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "targets/kernel/offers.h"

#define C "-cloud-amd64"

static const char names[] =
	"linux-image-cloud-amd64\nlinux-image-5.10.0-9" C "\nlinux-image-5.10.0-32" C
	"\nlinux-image-5.10.0-32" C "-dbg\nlinux-image-5.10.0-32" C "-unsigned\n"
	"linux-image-6.1.0-50" C "\nlinux-image-6.12.117+deb13" C
	"\nlinux-image-6.19.14+deb13" C "\nlinux-binary-6.19.14+deb13" C
	"\nlinux-image-7.3" C "\nlinux-binary-7.3" C "\nlinux-modules-7.3" C
	"\nlinux-base-7.3" C "\nlinux-image-7.4" C "\nlinux-image-7.3.4+deb13" C
	"\nlinux-binary-7.3.4+deb13" C "\nlinux-modules-7.3.4+deb13" C
	"\nlinux-base-7.3.4+deb13" C "\n";

static const char madison[] =
	" linux-image-5.10.0-32" C
	" | 5.10.223-1 | http://m/debian bullseye/main amd64 P\n"
	" linux-image-6.1.0-50" C " | 6.1.176-1 | http://m/debian bookworm/main amd64 P\n"
	"linux-image-7.3" C
	" | 7.3~rc7-1~exp1 | http://m/debian experimental/main amd64 P\n"
	"linux-image-7.4" C
	" | 7.4~rc1-1~exp1 | http://m/debian experimental/main amd64 P\n"
	"linux-image-7.3.4+deb13" C
	" | 7.3.4-1~bpo13+1 | http://m/debian trixie-backports/main amd64 P\n"
	"linux-image-6.19.14+deb13" C
	" | 6.19.14-1~bpo13+1 | http://m/debian trixie-backports/main amd64 P\n";

static const char show[] =
	"Package: linux-image-7.3.4+deb13" C "\nVersion: x\nSize: 2048\n\n"
	"Package: linux-modules-7.3.4+deb13" C "\nSize: 20480000\n\n"
	"Package: linux-base-7.3.4+deb13" C "\nSize: 1024000\n";

static struct offers offers;

static const char *chosen(const char *name)
{
	const struct offer *one = offers_choose(&offers, name);

	return one ? one->release : "-";
}

static void test_choice(void **state)
{
	(void)state;
	assert_int_equal(offers_parse(names, madison, show, &offers), 0);
	assert_int_equal(offers.n, 8);
	assert_string_equal(offers.offer[0].release, "5.10.0-9" C);
	assert_string_equal(chosen("5.10"), "5.10.0-32" C);
	assert_string_equal(chosen("5.10.0-9"), "5.10.0-9" C);
	assert_string_equal(chosen("6.1"), "6.1.0-50" C);
	assert_string_equal(chosen("6.12"), "6.12.117+deb13" C);
	assert_string_equal(chosen("7.3"), "7.3.4+deb13" C);
	assert_string_equal(chosen("7"), "7.4" C);
	assert_string_equal(chosen("newest"), "7.3.4+deb13" C);
	assert_string_equal(chosen("bullseye"), "5.10.0-32" C);
	assert_string_equal(chosen("trixie-backports"), "7.3.4+deb13" C);
	assert_string_equal(chosen("experimental"), "7.4" C);
	assert_string_equal(chosen("linux-image-7.3" C), "7.3" C);
	assert_string_equal(chosen("6"), "6.12.117+deb13" C);
	assert_string_equal(chosen("6.13"), "-");
	assert_string_equal(chosen(""), "-");
	/* Known, and known not to be whole: whoever asks for it is told so. */
	assert_string_equal(chosen("6.19"), "6.19.14+deb13" C);
	assert_false(offers_choose(&offers, "6.19")->whole);
	assert_true(offers_choose(&offers, "7.3")->whole);
	assert_true(offers_choose(&offers, "7.3")->split);
	assert_int_equal(offers_choose(&offers, "7.3")->kb, 2 + 20000 + 1000);
	offers_release(&offers);
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(offers_parse("", "", "", &offers), 0);
	assert_null(offers_choose(&offers, "newest"));
	offers_release(&offers);
	assert_int_equal(
		offers_parse("linux-image-6.1" C, " a | b\n| |\n", "Size: 3\n", &offers),
		0);
	assert_int_equal(offers.n, 1);
	offers_release(&offers);
}

static void test_series(void **state)
{
	(void)state;
	assert_true(release_is_of("6.1.0-50" C, "6.1"));
	assert_false(release_is_of("6.12.1" C, "6.1"));
	assert_false(release_is_of("6.1.0" C, "sid"));
	assert_false(release_is_of("6.1.0" C, ""));
	assert_string_equal(package_release("linux-binary-7.3" C), "7.3" C);
	assert_null(package_release("linux-modules-7.3" C));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The ledger beyond its size: answered requests make room, open ones never do, and what is not recorded is counted. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/arena/ledger.h"

static struct ledger ledger;

static struct ledger_record *add(uint64_t unique)
{
	struct ledger_record record = {.opcode = 15, .unique = unique, .pid = 7};

	return ledger_add(&ledger, &record);
}

static int reset(void **state)
{
	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	return 0;
}

static void test_answered_make_room(void **state)
{
	struct ledger_record *dropped = add(2), *held = add(4), *read = add(6);

	(void)state;
	ledger_settle(&ledger, dropped, LEDGER_DROPPED, 0);
	ledger_settle(&ledger, held, LEDGER_HELD, 0);
	for (uint64_t unique = 8; unique < 8 + 10 * LEDGER_SIZE; unique += 2) {
		struct ledger_record *record = add(unique);

		assert_non_null(record);
		assert_ptr_equal(ledger_find(&ledger, unique), record);
		ledger_settle(&ledger, record, LEDGER_ANSWERED, 0);
	}
	assert_int_equal(ledger.n_lost, 0);
	assert_ptr_equal(ledger_find(&ledger, 2), dropped);
	assert_ptr_equal(ledger_find(&ledger, 4), held);
	assert_ptr_equal(ledger_find(&ledger, 6), read);
	assert_int_equal(read->state, LEDGER_READ);
	assert_null(ledger_find(&ledger, 8)); /* answered, and its room was taken */
}

static void test_open_never_make_room(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < LEDGER_SIZE; i++)
		assert_non_null(add(2 * i + 2));
	assert_null(add(1u << 20));
	assert_int_equal(ledger.n_lost, 1);
	for (uint64_t i = 0; i < LEDGER_SIZE; i++)
		assert_non_null(ledger_find(&ledger, 2 * i + 2));
}

/* A late second answer must not settle the request that has its record now. */
static void test_settled_stays(void **state)
{
	struct ledger_record *record = add(2);

	(void)state;
	ledger_settle(&ledger, record, LEDGER_ANSWERED, 0);
	ledger_settle(&ledger, record, LEDGER_DROPPED, 0);
	assert_int_equal(record->state, LEDGER_ANSWERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answered_make_room, reset),
		cmocka_unit_test_setup(test_open_never_make_room, reset),
		cmocka_unit_test_setup(test_settled_stays, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

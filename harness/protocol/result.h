/* SPDX-License-Identifier: MIT */
/* The result of one run, as a struct and as the payload of a RESULT frame. */
#ifndef SF_RESULT_H
#define SF_RESULT_H

#include <stdint.h>

#include "harness/scenario/scenario.h"
#include "harness/scenario/verdict.h"

#define RESULT_MAX_CELLS 512

enum step_status {
	STEP_NOT_RUN,
	STEP_DONE, /* returned: ret is its result */
	STEP_BLOCKED, /* did not return while the run was quiescent; ret is valid if late is set */
	STEP_SKIPPED, /* its actor was busy, gone or not created */
	STEP_ENDED,   /* its actor ended (exit, exec, killed) in this step */
};

struct step_result {
	uint8_t status; /* enum step_status */
	uint8_t late;	/* a blocked step returned later */
	int32_t ret;	/* >= 0 or -errno */
	uint32_t us;	/* from issuing it to the decision */
};

struct result {
	uint8_t verdict;  /* enum verdict */
	uint8_t rung;	  /* enum rung that emptied the tree */
	uint8_t poisoned; /* this kernel must not be used any more */
	uint8_t n_steps;
	uint64_t signature; /* 0 for clean and infra */
	uint64_t root_hash;
	uint32_t setup_us, steps_us, verdict_us, snapshot_us,
		total_us; /* verdict, snapshot: since the last step ended */
	struct step_result steps[SCN_MAX_STEPS];
	uint16_t n_cells;
	uint32_t cells[RESULT_MAX_CELLS]; /* coverage: sorted hashes, each once */
	char reason[400];		  /* one sentence; for infra: what went wrong */
	char *json; /* details as JSON text with a NUL, or NULL (also for length 0); owned */
	uint32_t json_len;
};

void result_init(struct result *res);
void result_release(struct result *res);

/* malloc()ed payload; 0 or -ENOMEM. */
int result_encode(const struct result *res, uint8_t **ret_buf, uint32_t *ret_len);
/* 0; or -EBADMSG or -ENOMEM, ret_res untouched then. What ret_res held before is not released. */
int result_decode(const uint8_t *buf, uint32_t len, struct result *ret_res);

#endif

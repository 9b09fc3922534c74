/* SPDX-License-Identifier: MIT */
/* qualify.json: a qualification as JSON, whole; what --resume starts from and --json gives. */
#ifndef SF_STORE_H
#define SF_STORE_H

#include <jansson.h>

#include "qualification.h"

#define STORE_FILE "qualify.json"

/* A new reference; NULL: out of memory. Judgements and verdict are in it. */
json_t *store_json(const struct qualification *q);

/* Fills an initialised qualification, judgements excepted. 0 or -ENOMEM; -EINVAL with what is wrong in err[300]. */
int store_from_json(const json_t *root, struct qualification *ret_q, char *err);

/* Into DIR/qualify.json: complete or not at all. 0 or -errno. */
int store_write(const struct qualification *q, int dir_fd);
/* 0; -ENOENT: there is none; -errno with err[300]. */
int store_read(int dir_fd, struct qualification *ret_q, char *err);

#endif

/* SPDX-License-Identifier: MIT */
/* Scenarios from files, as the commands take them: text, bytes, or the folder of a finding. */
#ifndef SF_SCENARIO_FILE_H
#define SF_SCENARIO_FILE_H

#include "harness/scenario/scenario.h"

#define SCENARIO_FILE_ERROR 512

/*
 * Loads path; "-" is the standard input, of a folder its scenario.bin is taken. scenario_is_text() decides
 * how it is read. An empty file is an error here, although the codec knows a meaning for it: who names a file
 * means something by it. So are more than SCN_MAX_BYTES of records and more than 1 MiB of text.
 *
 * 0, or -errno with one line in err[SCENARIO_FILE_ERROR] to print as it is: "FILE:LINE:COL: ..." or
 * "FILE: ...". Commands then end with EXIT_USAGE.
 */
int scenario_file_load(const char *path, struct scenario *ret_scn, char *err);

#endif

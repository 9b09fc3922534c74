/* SPDX-License-Identifier: MIT */
/* The evidence of a finding as files, made from the details of a result. */
#ifndef SF_EVIDENCE_H
#define SF_EVIDENCE_H

/*
 * Writes snapshot.json, snapshot.txt, graph.dot and kmsg.txt, as far as the details have
 * them. 0, or -errno where a file cannot be written; details that cannot be read are no
 * error.
 */
int evidence_write(int dir_fd, const char *json);

/* graph.svg out of graph.dot, if dot(1) is installed; takes about 100 ms. */
void evidence_draw(int dir_fd);

#endif

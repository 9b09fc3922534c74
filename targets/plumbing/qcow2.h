/* SPDX-License-Identifier: MIT */
/* An empty qcow2 image in memory: QEMU keeps a machine's snapshot in a disk's image, needed or not. */
#ifndef SF_QCOW2_H
#define SF_QCOW2_H

/* A memfd with an empty image of size_mb (at most 512); it outlives QEMU, and nothing is left on a disk. */
int qcow2_make(unsigned int size_mb);

#endif

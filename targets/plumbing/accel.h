/* SPDX-License-Identifier: MIT */
/*
 * Which accelerator QEMU can use here. /dev/kvm may open and a machine may still never run its first
 * instruction, so that is tried, with a deadline, and the answer is remembered until the next reboot.
 */
#ifndef SF_ACCEL_H
#define SF_ACCEL_H

#include <stdbool.h>

#define QEMU_PATH "/usr/bin/qemu-system-x86_64"

/*
 * True if KVM runs guests. kernel: a bzImage to try it with, where no answer is remembered; NULL: do not try, the
 * answer is then "not known". why[200]: the reason in a few words, either way.
 */
bool accel_kvm_works(const char *kernel, char *why);

#endif

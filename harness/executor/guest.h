/* SPDX-License-Identifier: MIT */
/*
 * The executor as /init of a guest: makes the machine usable and opens the control
 *channel.
 *
 * The initramfs holds /init (this binary), /modules/NAME.ko and /modules.list (one
 *NAME.ko a line, in loading order); the kernel command line says shortfuse.channel=PATH
 *a device: /dev/vport0p1, /dev/ttyS1, /dev/ttyS0 shortfuse.cpu=N          optional
 * Trouble is told on the console in lines that begin with "shortfuse-init: "; the host
 *looks for them.
 */
#ifndef SF_GUEST_H
#define SF_GUEST_H

#include <stdbool.h>

struct guest_info {
	int channel; /* close-on-exec, raw, connected */
	int cpu;     /* -1: not said */
};

/* True if this process is the init of a guest started by shortfuse. Mounts /proc to find
 * out. */
bool guest_is_init(void);

/*
 * Mounts proc sys devtmpfs tmpfs fusectl debugfs tracefs cgroup2, loads the modules, sets
 * the sysctls, opens the channel. 0, or -errno after a line on the console.
 */
int guest_setup(struct guest_info *ret);

/* Ends the machine: reboot(2). Does not return. */
_Noreturn void guest_poweroff(void);

#endif

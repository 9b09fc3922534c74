/* SPDX-License-Identifier: MIT */
/* Back end "uml": a user-mode kernel, that is a process, pinned to one CPU. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "targets/plumbing/executable.h"
#include "targets/kernel/image.h"
#include "targets/kernel/initramfs.h"
#include "targets/plumbing/peer.h"
#include "targets/plumbing/xstate.h"

#define BOOT_MS	  30000
#define STOP_MS	  1000
#define MEMORY_MB 256

/*
 * Arguments 1 and 2 are filled in. The second half is there for speed: without them Debian's kernel takes ten times as
 * long to boot: a benchmark of RAID algorithms (0.85 s), the calibration of the delay loop, 256 BSD
 * ptys, zswap. Other kernels ignore what they do not know.
 */
static const char *const arguments[] = {
	"rdinit=/init",
	"con0=null,fd:1",
	"con=null",
	"ssl=null",
	"ssl0=fd:3,fd:3",
	"uml_dir=/dev/shm/",
	"umid=shortfuse",
	"loglevel=5",
	"panic=-1",
	"oops=panic",
	"shortfuse.channel=/dev/ttyS0",
	"initcall_blacklist=raid6_select_algo",
	"lpj=4000000",
	"pty.legacy_count=0",
	"zswap.enabled=0",
};

#define N_ARGUMENTS (sizeof(arguments) / sizeof(arguments[0]))

struct uml {
	struct target target;
	struct target_options opt;
	struct image image;
	int initramfs;
	struct peer peer;
};

static int start_process(struct uml *uml, int channel, int console)
{
	/* Descriptors in the kernel's process: 3 the channel, 4 the initramfs. */
	size_t n = N_ARGUMENTS + 3;
	char mem[32];
	int fds[] = {channel, uml->initramfs};
	const char *argv[N_ARGUMENTS + 6] = {uml->image.kernel, mem,
					     "initrd=/proc/self/fd/4"};
	struct spawn sp = {.argv = argv, .fds = fds, .n_fds = 2, .cpu = uml->opt.cpu};

	snprintf(mem, sizeof(mem), "mem=%dM",
		 uml->opt.memory_mb ? uml->opt.memory_mb : MEMORY_MB);
	memcpy(argv + 3, arguments, sizeof(arguments));
	if (uml->opt.virtual_time)
		argv[n++] = "time-travel=inf-cpu";
	/* What the kernel does not know goes to the environment of init. */
	sp.hide_xstate = xstate_is_too_big();
	if (sp.hide_xstate)
		argv[n++] = xstate_tunables;
	sp.out = sp.err = console;
	sp.mode = SPAWN_CAGED;
	/* Its processes hand every guest task over to each other: on two CPUs it is 2-4
	 * times slower. */
	if (sp.cpu < 0)
		sp.cpu = sched_getcpu();
	return spawn_process(&sp, &uml->peer.proc);
}

static int boot(struct uml *uml, char *err)
{
	int pair[2], console[2], ret;

	peer_init(&uml->peer, "the UML guest", &uml->opt);
	uml->peer.guest = true;
	ret = peer_socketpair(pair);
	if (ret < 0)
		return ret;
	if (pipe2(console, O_CLOEXEC) < 0) {
		close(pair[0]);
		close(pair[1]);
		return -errno;
	}
	ret = console_init(&uml->peer.console, console[0], uml->opt.console_path,
			   uml->opt.verbose);
	if (!ret)
		ret = start_process(uml, pair[1], console[1]);
	close(pair[1]);
	close(console[1]);
	if (ret < 0) {
		close(pair[0]);
		snprintf(err, 300, "starting %.200s: %s%s", uml->image.kernel,
			 strerror(-ret),
			 ret == -EPERM ? " (without root it needs user namespaces)" : "");
		return ret;
	}
	return peer_hello(&uml->peer, pair[0], -1, BOOT_MS, err);
}

static void uml_close(struct target *target)
{
	struct uml *uml = (struct uml *)target;

	/* Nothing in the guest is worth a farewell: the cage dies with its init. */
	peer_release(&uml->peer);
	image_release(&uml->image);
	if (uml->initramfs >= 0)
		close(uml->initramfs);
	free(uml);
}

static int prepare(struct uml *uml, char *err)
{
	const char *colon = strchr(uml->opt.spec, ':');
	char init[4096];
	int ret = executor_path(init, sizeof(init), err);

	if (ret < 0)
		return ret;
	ret = image_open_uml(colon && colon[1] ? colon + 1 : NULL, &uml->image, err);
	if (ret < 0)
		return ret;
	if (uml->opt.virtual_time && !image_has_text(uml->image.kernel, "time-travel=")) {
		snprintf(err, 300,
			 "%.200s: built without CONFIG_UML_TIME_TRAVEL_SUPPORT: no "
			 "virtual time",
			 uml->image.kernel);
		return -EOPNOTSUPP;
	}
	uml->initramfs =
		initramfs_make(init, uml->image.modules.path, uml->image.modules.n, err);
	return uml->initramfs < 0 ? uml->initramfs : 0;
}

static int uml_open(const struct target_options *opt, struct target **ret_target,
		    char *err)
{
	struct uml *uml = calloc(1, sizeof(*uml));
	int ret;

	if (!uml)
		return -ENOMEM;
	uml->target.ops = &uml_ops;
	uml->opt = *opt;
	uml->initramfs = -1;
	peer_init(&uml->peer, "the UML guest", opt);
	ret = prepare(uml, err);
	if (!ret)
		ret = boot(uml, err);
	if (ret < 0) {
		uml_close(&uml->target);
		return ret;
	}
	*ret_target = &uml->target;
	return 0;
}

static int uml_run(struct target *target, const struct scenario *scn, uint32_t flags,
		   struct result *ret_res)
{
	return peer_run(&((struct uml *)target)->peer, scn, flags, ret_res);
}

static int uml_reset(struct target *target, char *err)
{
	struct uml *uml = (struct uml *)target;

	peer_release(&uml->peer);
	return boot(uml, err);
}

static const char *uml_hello(const struct target *target)
{
	return ((const struct uml *)target)->peer.hello;
}

const struct target_ops uml_ops = {
	.name = "uml",
	.help = "uml[:IMAGE[,MODULES]][+memory=MB][+virtual-time]: a user-mode kernel, "
		"one CPU "
		"(default: Debian's)",
	.open = uml_open,
	.run = uml_run,
	.reset = uml_reset,
	.close = uml_close,
	.hello = uml_hello,
};

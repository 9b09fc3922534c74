/* SPDX-License-Identifier: MIT */
/* Back end "qemu": a machine with any kernel; reset by a snapshot taken when its executor first spoke. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "targets/plumbing/accel.h"
#include "targets/plumbing/executable.h"
#include "targets/kernel/image.h"
#include "targets/kernel/initramfs.h"
#include "targets/plumbing/peer.h"
#include "targets/plumbing/qcow2.h"
#include "targets/plumbing/qmp.h"

#define BOOT_MS	    60000
#define QMP_MS	    5000
#define SNAPSHOT_MS 20000
#define CHECK_MS    5000
#define MEMORY_MB   256
#define CPUS	    2
#define DISK_MB	    64
#define PIPE_BYTES                                                                       \
	(1                                                                               \
	 << 20) /* a console that nobody reads between two runs must not stop the machine */

/* The second line is there for speed: self-tests and certificates take a second and a half when emulated. */
#define CMDLINE                                                                          \
	"console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off nokaslr "          \
	"no_timer_check "                                                                \
	"cryptomgr.notests "                                                             \
	"initcall_blacklist=jent_mod_init,load_system_certificate_list "                 \
	"tsc=reliable rdinit=/init random.trust_cpu=on shortfuse.cpu=0 "                 \
	"shortfuse.channel="

struct qemu {
	struct target target;
	struct target_options opt;
	struct image image;
	int initramfs, disk; /* memfds */
	bool kvm;
	bool snapshot; /* on the disk, taken after HELLO */
	struct qmp qmp;
	struct peer peer;
	char *hello; /* of the boot that the snapshot is of */
};

/* Descriptors in QEMU's process. */
enum { FD_CONTROL = 3, FD_QMP, FD_INITRAMFS, FD_DISK, FD_SPARE };

struct ends {
	int control[2], qmp[2], spare[2], console[2];
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
		pair[i] = -1;
	}
}

static int make_ends(struct ends *ends, bool spare)
{
	int ret;

	memset(ends, -1, sizeof(*ends));
	ret = peer_socketpair(ends->control);
	if (!ret)
		ret = peer_socketpair(ends->qmp);
	if (!ret && spare)
		ret = peer_socketpair(ends->spare);
	if (!ret && pipe2(ends->console, O_CLOEXEC) < 0)
		ret = -errno;
	if (!ret)
		fcntl(ends->console[0], F_SETPIPE_SZ, PIPE_BYTES);
	return ret;
}

static const char *channel_of(const struct qemu *qemu)
{
	switch (qemu->image.console) {
	case IMAGE_VIRTIO:
		return "/dev/vport0p1";
	case IMAGE_SERIAL:
		return "/dev/ttyS1";
	default:
		return "/dev/vport0p1,/dev/ttyS1";
	}
}

/* The control channel: a virtio port, a second serial line, or both where it is not known what the kernel has. */
static size_t add_channels(const struct qemu *qemu, const char **argv, size_t n)
{
	argv[n++] = "-chardev";
	argv[n++] = "socket,id=control,fd=3";
	if (qemu->image.console != IMAGE_SERIAL) {
		argv[n++] = "-device";
		argv[n++] = "virtio-serial-pci,max_ports=2";
		argv[n++] = "-device";
		argv[n++] = "virtserialport,chardev=control,name=shortfuse";
	} else {
		argv[n++] = "-serial";
		argv[n++] = "chardev:control";
	}
	if (qemu->image.console == IMAGE_UNKNOWN) {
		argv[n++] = "-chardev";
		argv[n++] = "socket,id=spare,fd=7";
		argv[n++] = "-serial";
		argv[n++] = "chardev:spare";
	}
	return n;
}

static int start_process(struct qemu *qemu, const struct ends *ends, bool restore)
{
	const struct target_options *opt = &qemu->opt;
	char smp[16], mem[16], cmdline[500];
	const char *argv[64] = {QEMU_PATH,
				"-nodefaults",
				"-no-user-config",
				"-display",
				"none",
				"-M",
				"pc",
				"-no-reboot",
				"-kernel",
				qemu->image.kernel,
				"-initrd",
				"/proc/self/fd/5",
				"-append",
				cmdline,
				"-smp",
				smp,
				"-m",
				mem,
				"-chardev",
				"socket,id=qmp,fd=4",
				"-mon",
				"chardev=qmp,mode=control",
				"-chardev",
				"stdio,id=console,signal=off",
				"-serial",
				"chardev:console",
				"-drive",
				"file=/proc/self/fd/6,format=qcow2,if=none,id=snapshot"};
	int fds[] = {ends->control[1], ends->qmp[1], qemu->initramfs, qemu->disk,
		     ends->spare[1]};
	struct spawn sp = {.argv = argv, .fds = fds, .n_fds = ends->spare[1] < 0 ? 4 : 5};
	size_t n = 0;

	while (argv[n])
		n++;
	n = add_channels(qemu, argv, n);
	argv[n++] = "-accel";
	argv[n++] = qemu->kvm	    ? "kvm"
		    : opt->cpu >= 0 ? "tcg,thread=single"
				    : "tcg,thread=multi";
	if (qemu->kvm) {
		argv[n++] = "-cpu";
		argv[n++] = "host";
	}
	if (restore) {
		argv[n++] = "-loadvm";
		argv[n++] = "ready";
	}
	snprintf(smp, sizeof(smp), "%d", opt->cpus ? opt->cpus : opt->cpu < 0 ? CPUS : 1);
	snprintf(mem, sizeof(mem), "%d", opt->memory_mb ? opt->memory_mb : MEMORY_MB);
	snprintf(cmdline, sizeof(cmdline), CMDLINE "%s", channel_of(qemu));
	sp.out = sp.err = ends->console[1];
	sp.cpu = opt->cpu;
	return spawn_process(&sp, &qemu->peer.proc);
}

/* Starts QEMU and takes its ends over: channel and console go to the peer, QMP is opened. */
static int start(struct qemu *qemu, bool restore, int *ret_spare, char *err)
{
	struct ends ends;
	int ret = make_ends(&ends, qemu->image.console == IMAGE_UNKNOWN);

	peer_init(&qemu->peer, "the QEMU guest", &qemu->opt);
	qemu->peer.guest = true;
	if (!ret)
		ret = console_init(&qemu->peer.console, ends.console[0],
				   qemu->opt.console_path, qemu->opt.verbose);
	if (!ret) {
		ends.console[0] = -1;
		ret = start_process(qemu, &ends, restore);
	}
	if (ret == -ENOENT)
		snprintf(err, 300,
			 QEMU_PATH ": not there; install the package qemu-system-x86");
	else if (ret < 0)
		snprintf(err, 300, "starting " QEMU_PATH ": %s", strerror(-ret));
	if (!ret) {
		qemu->peer.channel = ends.control[0];
		*ret_spare = ends.spare[0];
		ret = qmp_open(&qemu->qmp, ends.qmp[0], QMP_MS);
		ends.control[0] = ends.spare[0] = ends.qmp[0] = -1;
		if (ret < 0) {
			console_pump(&qemu->peer.console);
			snprintf(err, 300, "QEMU does not talk: %s; it said: %.200s",
				 strerror(-ret), qemu->peer.console.text);
		}
	}
	close_pair(ends.control);
	close_pair(ends.spare);
	close_pair(ends.qmp);
	close_pair(ends.console);
	return ret;
}

static void stop(struct qemu *qemu)
{
	qmp_close(&qemu->qmp);
	peer_release(&qemu->peer);
}

static int boot_once(struct qemu *qemu, char *err)
{
	int spare = -1, ret = start(qemu, false, &spare, err);

	if (ret < 0)
		return ret;
	return peer_hello(&qemu->peer, qemu->peer.channel, spare, BOOT_MS, err);
}

/* On a loaded host a good kernel now and then dies while it boots (an oops in sched_clock_cpu() of 6.12): not twice. */
static int boot(struct qemu *qemu, char *err)
{
	char why[200];
	int ret = boot_once(qemu, err);

	if (ret == -ECONNRESET) {
		stop(qemu);
		ret = boot_once(qemu, err);
	}
	if (ret < 0)
		return ret;
	free(qemu->hello);
	qemu->hello = strdup(qemu->peer.hello);
	qemu->snapshot = !qmp_monitor(&qemu->qmp, "savevm ready", SNAPSHOT_MS, why);
	if (!qemu->snapshot && qemu->opt.verbose)
		fprintf(stderr, "no snapshot of the guest, it will be booted again: %s\n",
			why);
	return 0;
}

/* The machine as it was at HELLO, in the same process. Its executor must answer again, or it is of no use. */
static int restore_live(struct qemu *qemu)
{
	char err[200];
	int ret = qmp_command(&qemu->qmp, "stop", QMP_MS, err);

	if (!ret)
		ret = qmp_monitor(&qemu->qmp, "loadvm ready", SNAPSHOT_MS, err);
	if (ret < 0)
		return ret;
	peer_flush(&qemu->peer);
	ret = qmp_command(&qemu->qmp, "cont", QMP_MS, err);
	return ret ? ret : peer_revive(&qemu->peer, qemu->hello, CHECK_MS);
}

/* The same in a new process: the snapshot is in our memfd and survived the old one. */
static int restore_cold(struct qemu *qemu, char *err)
{
	int spare = -1, ret;

	stop(qemu);
	ret = start(qemu, true, &spare, err);
	if (ret < 0)
		return ret;
	if (spare >= 0) {
		close(qemu->peer.channel);
		qemu->peer.channel = spare;
	}
	peer_flush(&qemu->peer);
	return peer_revive(&qemu->peer, qemu->hello, CHECK_MS);
}

static int qemu_reset(struct target *target, char *err)
{
	struct qemu *qemu = (struct qemu *)target;

	if (qemu->snapshot && !process_ended(&qemu->peer.proc, 0) &&
	    !qemu->peer.console.scan.panicked && !restore_live(qemu))
		return 0;
	if (qemu->snapshot && !restore_cold(qemu, err))
		return 0;
	stop(qemu);
	return boot(qemu, err);
}

static void qemu_close(struct target *target)
{
	struct qemu *qemu = (struct qemu *)target;

	stop(qemu);
	image_release(&qemu->image);
	if (qemu->initramfs >= 0)
		close(qemu->initramfs);
	if (qemu->disk >= 0)
		close(qemu->disk);
	free(qemu->hello);
	free(qemu);
}

static int prepare(struct qemu *qemu, char *err)
{
	const char *colon = strchr(qemu->opt.spec, ':');
	char init[4096], why[200];
	int ret = executor_path(init, sizeof(init), err);

	if (ret < 0)
		return ret;
	if (!colon || !colon[1]) {
		snprintf(err, 300,
			 "which kernel? qemu:KERNEL, e.g. qemu:6.12; 'shortfuse kernel "
			 "list'");
		return -EINVAL;
	}
	ret = image_open_qemu(colon + 1, &qemu->image, err);
	if (ret < 0)
		return ret;
	qemu->kvm = accel_kvm_works(qemu->image.kernel, why);
	qemu->initramfs = initramfs_make(init, qemu->image.modules.path,
					 qemu->image.modules.n, err);
	if (qemu->initramfs < 0)
		return qemu->initramfs;
	qemu->disk = qcow2_make(DISK_MB);
	return qemu->disk < 0 ? qemu->disk : 0;
}

static int qemu_open(const struct target_options *opt, struct target **ret_target,
		     char *err)
{
	struct qemu *qemu = calloc(1, sizeof(*qemu));
	int ret;

	if (!qemu)
		return -ENOMEM;
	qemu->target.ops = &qemu_ops;
	qemu->opt = *opt;
	qemu->initramfs = qemu->disk = qemu->qmp.fd = -1;
	peer_init(&qemu->peer, "the QEMU guest", opt);
	ret = prepare(qemu, err);
	if (!ret)
		ret = boot(qemu, err);
	if (ret < 0) {
		qemu_close(&qemu->target);
		return ret;
	}
	*ret_target = &qemu->target;
	return 0;
}

static int qemu_run(struct target *target, const struct scenario *scn, uint32_t flags,
		    struct result *ret_res)
{
	return peer_run(&((struct qemu *)target)->peer, scn, flags, ret_res);
}

static const char *qemu_hello(const struct target *target)
{
	return ((const struct qemu *)target)->hello;
}

const struct target_ops qemu_ops = {
	.name = "qemu",
	.help = "qemu:KERNEL[+cpus=N][+memory=MB]: a machine; KERNEL is running, 6.1, "
		"6.12, "
		"a bzImage[,MODULES] or a.deb[,b.deb]",
	.open = qemu_open,
	.run = qemu_run,
	.reset = qemu_reset,
	.close = qemu_close,
	.hello = qemu_hello,
};

/* SPDX-License-Identifier: MIT */
/* Runs an exported C file natively or in a guest that has nothing else. */

#include "try_c.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "targets/plumbing/accel.h"
#include "targets/kernel/image.h"
#include "targets/kernel/initramfs.h"
#include "try_run.h"

#define COMPILER_MS 60000
#define NATIVE_MS   60000
#define GUEST_MS    180000

/* The init of the guest; the exported file is linked in, its main() renamed. */
static const char guest_init[] =
	"#define _GNU_SOURCE\n"
	"#include <fcntl.h>\n"
	"#include <stdio.h>\n"
	"#include <string.h>\n"
	"#include <sys/mount.h>\n"
	"#include <sys/reboot.h>\n"
	"#include <sys/stat.h>\n"
	"#include <sys/syscall.h>\n"
	"#include <sys/wait.h>\n"
	"#include <unistd.h>\n"
	"int repro_main(int argc, char **argv);\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	char name[200], path[300];\n"
	"	int status = 2 << 8;\n"
	"	FILE *list;\n"
	"	if (getpid() != 1)\n"
	"		return repro_main(argc, argv);\n"
	"	mount(\"proc\", \"/proc\", \"proc\", 0, NULL);\n"
	"	mount(\"sysfs\", \"/sys\", \"sysfs\", 0, NULL);\n"
	"	mount(\"devtmpfs\", \"/dev\", \"devtmpfs\", 0, NULL);\n"
	"	mkdir(\"/mnt\", 0755);\n"
	"	list = fopen(\"/modules.list\", \"r\");\n"
	"	while (list && fscanf(list, \"%199s\", name) == 1) {\n"
	"		snprintf(path, sizeof(path), \"/modules/%s\", name);\n"
	"		syscall(SYS_finit_module, open(path, O_RDONLY), \"\", 0);\n"
	"	}\n"
	"	setvbuf(stdout, NULL, _IONBF, 0);\n"
	"	pid_t pid = fork();\n"
	"	if (!pid)\n"
	"		_exit(repro_main(1, (char *[]){\"repro\", NULL}));\n"
	"	waitpid(pid, &status, 0);\n"
	"	printf(\"" TRY_EXIT_MARK
	"%d\\n\", WIFEXITED(status) ? WEXITSTATUS(status) : 2);\n"
	"	reboot(RB_POWER_OFF);\n"
	"	reboot(RB_AUTOBOOT);\n"
	"	return 0;\n"
	"}\n";

/*
 * Gives the mounts of the program their owner, so that its connections are known as ours: see try_run.h. The linker puts
 * it before mount(2) of the exported file, which knows nothing of it. The last user_id= counts.
 */
static const char own_mounts[] =
	"#include <stdio.h>\n"
	"#include <string.h>\n"
	"int __real_mount(const char *, const char *, const char *, unsigned long, const "
	"void *);\n"
	"int __wrap_mount(const char *source, const char *target, const char *type,\n"
	"		 unsigned long flags, const void *data)\n"
	"{\n"
	"	char owned[4096];\n"
	"	if (!type || strncmp(type, \"fuse.\", 5))\n"
	"		return __real_mount(source, target, type, flags, data);\n"
	"	snprintf(owned, sizeof(owned), \"%%s,user_id=%u,group_id=%u\", (const "
	"char "
	"*)data);\n"
	"	return __real_mount(source, target, type, flags, owned);\n"
	"}\n";

struct attempt {
	const char *c_file;
	char dir[4096], program[4200], object[4200], helper[4200];
	int limit_ms;
	FILE *out;
	char *err;
};

static int fail(struct attempt *attempt, const char *what, int error)
{
	snprintf(attempt->err, 300, "%.200s: %s", what, strerror(error));
	return -error;
}

static int open_attempt(struct attempt *attempt)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(attempt->dir, sizeof(attempt->dir), "%s/shortfuse-try-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(attempt->dir))
		return fail(attempt, attempt->dir, errno);
	snprintf(attempt->program, sizeof(attempt->program), "%s/repro", attempt->dir);
	snprintf(attempt->object, sizeof(attempt->object), "%s/repro.o", attempt->dir);
	snprintf(attempt->helper, sizeof(attempt->helper), "%s/helper.c", attempt->dir);
	return 0;
}

/* Once the program runs: a shortfuse that is killed leaves no files behind. */
static void close_attempt(void *ctx)
{
	struct attempt *attempt = ctx;

	unlink(attempt->program);
	unlink(attempt->object);
	unlink(attempt->helper);
	rmdir(attempt->dir);
}

static int write_helper(struct attempt *attempt, const char *text)
{
	FILE *file = fopen(attempt->helper, "we");

	if (!file)
		return fail(attempt, attempt->helper, errno);
	fputs(text, file);
	return fclose(file) ? fail(attempt, attempt->helper, errno) : 0;
}

/* words: the command line of the compiler after what is always there. */
static int compiler(struct attempt *attempt, const char *const *words)
{
	const char *argv[24] = {"/usr/bin/env", "cc", "-std=gnu17", "-O2", "-pthread"};
	struct try_run run = {.argv = argv, .limit_ms = COMPILER_MS};
	size_t n = 5;
	int ret;

	while (*words && n < 23)
		argv[n++] = *words++;
	ret = try_run(&run);
	if (!ret || ret == -EINTR)
		return ret;
	snprintf(attempt->err, 300, "%.200s: the compiler failed (%d)", attempt->c_file,
		 ret);
	return -ENOEXEC;
}

static int compile_native(struct attempt *attempt)
{
	const char *const words[] = {
		"-Wl,--wrap=mount", "-o", attempt->program, "-x", "c", attempt->c_file,
		attempt->helper,    NULL};
	char text[sizeof(own_mounts) + 40];
	struct owner owner;
	int ret = try_owner(&owner);

	if (ret < 0)
		return fail(attempt, "/proc/self/stat", -ret);
	snprintf(text, sizeof(text), own_mounts, owner.uid, owner.gid);
	ret = write_helper(attempt, text);
	return ret ? ret : compiler(attempt, words);
}

/* Two compilations: the main() of the init must keep its name. */
static int compile_guest(struct attempt *attempt)
{
	const char *const first[] = {"-Dmain=repro_main", "-c", "-o",
				     attempt->object,	  "-x", "c",
				     attempt->c_file,	  NULL};
	const char *const second[] = {"-static",	"-o",
				      attempt->program, attempt->helper,
				      attempt->object,	NULL};
	int ret = write_helper(attempt, guest_init);

	if (!ret)
		ret = compiler(attempt, first);
	return ret ? ret : compiler(attempt, second);
}

/* Exit status of the program, or -errno with a line in err. */
static int run_native(struct attempt *attempt)
{
	const char *const argv[] = {attempt->program, NULL};
	struct try_run run = {.argv = argv,
			      .limit_ms =
				      attempt->limit_ms ? attempt->limit_ms : NATIVE_MS,
			      .out = attempt->out,
			      .started = close_attempt,
			      .ctx = attempt};
	int ret;

	try_clean();
	ret = try_run(&run);
	if (ret == -EBUSY)
		snprintf(attempt->err, 300,
			 "tasks of the program are left that nothing ends");
	else if (ret < 0)
		snprintf(attempt->err, 300, "the program: %s", strerror(-ret));
	return ret;
}

static int run_guest(struct attempt *attempt, const char *kernel)
{
	struct image image = {0};
	char why[200];
	int initramfs, ret = image_open_qemu(kernel, &image, attempt->err);

	if (ret < 0)
		return ret;
	initramfs = initramfs_make(attempt->program, image.modules.path, image.modules.n,
				   attempt->err);
	close_attempt(attempt);
	if (initramfs >= 0) {
		const char *argv[] = {QEMU_PATH,
				      "-nodefaults",
				      "-display",
				      "none",
				      "-M",
				      "pc",
				      "-no-reboot",
				      "-kernel",
				      image.kernel,
				      "-initrd",
				      "/proc/self/fd/3",
				      "-append",
				      "console=ttyS0 quiet panic=-1 rdinit=/init nokaslr",
				      "-smp",
				      "2",
				      "-m",
				      "256",
				      "-serial",
				      "stdio",
				      "-accel",
				      accel_kvm_works(image.kernel, why) ? "kvm" : "tcg",
				      NULL};
		struct try_run run = {.argv = argv,
				      .fds = &initramfs,
				      .n_fds = 1,
				      .limit_ms = attempt->limit_ms ? attempt->limit_ms
								    : GUEST_MS,
				      .out = attempt->out,
				      .mark = -1};

		ret = try_run(&run);
		close(initramfs);
		if (ret != -EINTR && run.mark < 0)
			ret = fail(attempt, "the guest ended without an answer",
				   ret < 0 ? -ret : EIO);
		else if (ret != -EINTR)
			ret = run.mark;
	} else {
		ret = initramfs;
	}
	image_release(&image);
	return ret;
}

int try_c(const char *c_file, const char *target, int limit_s, FILE *out, char *err)
{
	struct attempt attempt = {
		.c_file = c_file, .limit_ms = limit_s * 1000, .out = out, .err = err};
	bool guest = !strncmp(target, "qemu:", 5);
	int ret;

	if (!guest && strcmp(target, "host")) {
		snprintf(err, 300,
			 "a C file is tried on host or qemu:KERNEL, not on %.100s",
			 target);
		return -EINVAL;
	}
	ret = open_attempt(&attempt);
	if (ret < 0)
		return ret;
	ret = guest ? compile_guest(&attempt) : compile_native(&attempt);
	if (!ret)
		ret = guest ? run_guest(&attempt, target + 5) : run_native(&attempt);
	close_attempt(&attempt);
	return ret;
}

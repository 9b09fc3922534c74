/* SPDX-License-Identifier: MIT */
/* Runs an exported C file natively or in a guest that has nothing else. */

#include "try_c.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "targets/accel.h"
#include "targets/image.h"
#include "targets/initramfs.h"
#include "targets/spawn.h"

#define NATIVE_MS 60000
#define GUEST_MS  180000

#define EXIT_MARK "REPRO-EXIT "

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
	"	printf(\"" EXIT_MARK
	"%d\\n\", WIFEXITED(status) ? WEXITSTATUS(status) : 2);\n"
	"	reboot(RB_POWER_OFF);\n"
	"	reboot(RB_AUTOBOOT);\n"
	"	return 0;\n"
	"}\n";

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Passes lines on, but the mark, and waits for the end. Exit status of the process, or -errno. */
static int watch(struct process *proc, int fd, int limit_ms, int *ret_mark)
{
	long deadline = now_ms() + limit_ms;
	char line[4096];
	size_t len = 0;

	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		long left = deadline - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&poll_fd, 1, (int)left) <= 0)
			return -ETIMEDOUT;
		n = read(fd, line + len, 1);
		if (n <= 0)
			break;
		if (line[len] != '\n' && ++len < sizeof(line) - 1)
			continue;
		line[len] = '\0';
		if (!strncmp(line, EXIT_MARK, strlen(EXIT_MARK)))
			*ret_mark = atoi(line + strlen(EXIT_MARK));
		else
			printf("%s\n", line);
		len = 0;
	}
	if (!process_ended(proc, 5000))
		return -ETIMEDOUT;
	return WIFEXITED(proc->status) ? WEXITSTATUS(proc->status) : -ECHILD;
}

static int run(const char *const *argv, const int *fds, size_t n_fds, int limit_ms,
	       int *ret_mark)
{
	struct process proc = {.pidfd = -1};
	int out[2], ret;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	struct spawn sp = {.argv = argv,
			   .fds = fds,
			   .n_fds = n_fds,
			   .out = out[1],
			   .err = out[1],
			   .cpu = -1};

	ret = spawn_process(&sp, &proc);
	close(out[1]);
	if (!ret) {
		fflush(stdout);
		ret = watch(&proc, out[0], limit_ms, ret_mark);
		process_kill(&proc, 2000);
	}
	close(out[0]);
	return ret;
}

static int compile(const char *c_file, const char *dir, bool guest, char *program,
		   char *err)
{
	char init[4200];
	const char *argv[24] = {"/usr/bin/env", "cc",	 "-std=gnu17", "-O2", "-pthread",
				"-o",		program, "-x",	       "c"};
	int n = 9, ret, mark;
	FILE *file;

	snprintf(program, 4200, "%s/repro", dir);
	snprintf(init, sizeof(init), "%s/init.c", dir);
	if (guest) {
		file = fopen(init, "we");
		if (!file || fputs(guest_init, file) < 0 || fclose(file)) {
			snprintf(err, 300, "%.200s: %s", init, strerror(errno));
			return -EIO;
		}
		/* Two compilations: the other main() must keep its name. */
		char object[4200];

		snprintf(object, sizeof(object), "%s/repro.o", dir);
		const char *first[] = {"/usr/bin/env",
				       "cc",
				       "-std=gnu17",
				       "-O2",
				       "-pthread",
				       "-Dmain=repro_main",
				       "-c",
				       "-o",
				       object,
				       "-x",
				       "c",
				       c_file,
				       NULL};

		ret = run(first, NULL, 0, NATIVE_MS, &mark);
		if (!ret) {
			const char *second[] = {"/usr/bin/env", "cc", "-static", "-O2",
						"-pthread",	"-o", program,	 init,
						object,		NULL};

			ret = run(second, NULL, 0, NATIVE_MS, &mark);
		}
	} else {
		argv[n++] = c_file;
		argv[n] = NULL;
		ret = run(argv, NULL, 0, NATIVE_MS, &mark);
	}
	if (ret)
		snprintf(err, 300, "%.200s: the compiler failed (%d)", c_file, ret);
	return ret ? -ENOEXEC : 0;
}

static int run_guest(const char *program, const char *kernel, char *err)
{
	struct image image = {0};
	char why[200];
	int mark = -1, initramfs, ret = image_open_qemu(kernel, &image, err);

	if (ret < 0)
		return ret;
	initramfs = initramfs_make(program, image.modules.path, image.modules.n, err);
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

		ret = run(argv, &initramfs, 1, GUEST_MS, &mark);
		close(initramfs);
		if (mark < 0)
			snprintf(err, 300, "the guest ended without an answer (%d)", ret);
	} else {
		ret = initramfs;
	}
	image_release(&image);
	return mark >= 0 ? mark : ret < 0 ? ret : -EIO;
}

int try_c(const char *c_file, const char *target, char *err)
{
	char dir[] = "/tmp/shortfuse-try-XXXXXX", program[4200], file[4200];
	static const char *const names[] = {"repro", "repro.o", "init.c"};
	bool guest = !strncmp(target, "qemu:", 5);
	int ret, mark = -1;

	if (!guest && strcmp(target, "host")) {
		snprintf(err, 300,
			 "a C file is tried on host or qemu:KERNEL, not on %.100s",
			 target);
		return -EINVAL;
	}
	if (!mkdtemp(dir)) {
		snprintf(err, 300, "%s: %s", dir, strerror(errno));
		return -errno;
	}
	ret = compile(c_file, dir, guest, program, err);
	if (!ret && guest) {
		ret = run_guest(program, target + 5, err);
	} else if (!ret) {
		const char *argv[] = {program, NULL};

		ret = run(argv, NULL, 0, NATIVE_MS, &mark);
		if (ret < 0)
			snprintf(err, 300, "the program: %s", strerror(-ret));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
		unlink(file);
	}
	rmdir(dir);
	return ret;
}

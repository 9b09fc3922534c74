/* SPDX-License-Identifier: MIT */
/* shortfuse qualify: may this kernel go to the fleet? One verdict, with a report that can be filed. */

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "commands.h"
#include "fuzzer/util/duration.h"
#include "fuzzer/qualify/fuzzing.h"
#include "fuzzer/qualify/setup.h"
#include "fuzzer/qualify/store.h"
#include "fuzzer/report/report.h"

#define FORMATS_MAX 8
#define CORPUS_MAX  64

enum {
	OPT_KERNEL = 256,
	OPT_BASELINE,
	OPT_TIME,
	OPT_REPEAT,
	OPT_REPEAT_MAX,
	OPT_SWEEP,
	OPT_RESUME,
	OPT_KNOWN,
	OPT_STRICT,
	OPT_SEED,
	OPT_FORMAT /* and those after it: rows of report_formats */
};

static const struct argp_option options[] = {
	{"kernel", OPT_KERNEL, "K", 0,
	 "the candidate: host, uml[:IMAGE], qemu:KERNEL; may be given again", 0},
	{"baseline", OPT_BASELINE, "B", 0,
	 "the kernel to compare with (default: the expect: lines of the corpus)", 0},
	{"time", OPT_TIME, "TIME", 0,
	 "then fuzz each kernel for 60s, 10m, 8h (default: not)", 0},
	{"jobs", 'j', "N", 0, "runs of a kernel side by side (default 1)", 0},
	{"repeat", OPT_REPEAT, "K", 0, "runs of every scenario (default 3)", 0},
	{"repeat-max", OPT_REPEAT_MAX, "N", 0,
	 "runs of one that is not decided (default 8 times K)", 0},
	{"sweep", OPT_SWEEP, "KEY=A,B", 0,
	 "under each of these settings; may be given again", 0},
	{"known", OPT_KNOWN, "FILE", 0, "known issues: PATTERN YYYY-MM-DD REASON a line",
	 0},
	{"strict", OPT_STRICT, NULL, 0,
	 "a hang as bad as before with another root is a regression", 0},
	{"seed", OPT_SEED, "N", 0, "of the fuzzing (default 1)", 0},
	{NULL, 'o', "DIR", 0, "results (default: results/qualify-DATE-TIME)", 0},
	{"resume", OPT_RESUME, NULL, 0, "go on with the qualification in -o DIR", 0},
	{"ktap", OPT_FORMAT, "FILE", 0, "reports, - is the standard output:", 1},
	{"junit", OPT_FORMAT + 1, "FILE", 0, NULL, 1},
	{"kcidb", OPT_FORMAT + 2, "FILE", 0, NULL, 1},
	{"json", OPT_FORMAT + 3, "FILE", 0, NULL, 1},
	{"html", OPT_FORMAT + 4, "FILE", 0, "DIR/report.html is always written", 1},
	{"matrix", OPT_FORMAT + 5, "FILE", 0, "kernels side by side, as Markdown", 1},
	{"verbose", 'v', NULL, 0, "consoles of guests, what executors say", 2},
	{0},
};

struct arguments {
	struct setup setup;
	struct qualification q;
	const char *dir, *known, *formats[FORMATS_MAX];
	const char *corpus[CORPUS_MAX + 1];
	unsigned int jobs, n_corpus;
	bool resume, verbose;
};

static volatile sig_atomic_t stopped;
static volatile int campaign_fd = -1;

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	stopped = 1;
	if (campaign_fd >= 0)
		eventfd_write(campaign_fd, 1);
	errno = saved;
}

static void tell(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

static unsigned int number(struct argp_state *state, const char *name, const char *arg,
			   unsigned long least, unsigned long most)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*end || end == arg || arg[0] == '-' || n < least || n > most)
		argp_error(state, "--%s %s: expected a number from %lu to %lu", name, arg,
			   least, most);
	return (unsigned int)n;
}

static void add_kernel(struct arguments *a, struct argp_state *state, const char *spec)
{
	if (strlen(spec) >= COLUMN_SPEC_MAX)
		argp_error(state, "--kernel %.80s...: longer than %d bytes", spec,
			   COLUMN_SPEC_MAX - 1);
	if (a->setup.n_kernels == SETUP_KERNELS_MAX)
		argp_error(state, "--kernel %.200s: more than %d kernels", spec,
			   SETUP_KERNELS_MAX);
	a->setup.kernels[a->setup.n_kernels++] = spec;
}

static void add_sweep(struct arguments *a, struct argp_state *state, const char *arg)
{
	char err[300] = "too many of them";

	if (a->setup.n_sweeps == SETTINGS_MAX ||
	    sweep_parse(arg, &a->setup.sweeps[a->setup.n_sweeps], err) < 0)
		argp_error(state, "%s", err);
	a->setup.n_sweeps++;
}

static error_t parse_more(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case OPT_SWEEP:
		add_sweep(a, state, arg);
		return 0;
	case OPT_KNOWN:
		a->known = arg;
		return 0;
	case OPT_STRICT:
		a->q.strict = true;
		return 0;
	case OPT_SEED:
		a->q.seed = number(state, "seed", arg, 0, INT_MAX);
		return 0;
	case OPT_RESUME:
		a->resume = true;
		return 0;
	case 'o':
		a->dir = arg;
		return 0;
	case 'v':
		a->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->n_corpus == CORPUS_MAX)
			argp_error(state, "more than %d scenarios and folders",
				   CORPUS_MAX);
		a->corpus[a->n_corpus++] = arg;
		return 0;
	default:
		if (key < OPT_FORMAT || key >= OPT_FORMAT + FORMATS_MAX)
			return ARGP_ERR_UNKNOWN;
		a->formats[key - OPT_FORMAT] = arg;
		return 0;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case OPT_KERNEL:
		add_kernel(a, state, arg);
		return 0;
	case OPT_BASELINE:
		if (strlen(arg) >= COLUMN_SPEC_MAX)
			argp_error(state, "--baseline %s: too long", arg);
		a->setup.baseline = arg;
		return 0;
	case OPT_TIME:
		a->q.fuzz_seconds = duration_parse(arg);
		if (a->q.fuzz_seconds <= 0)
			argp_error(state,
				   "--time %s: expected something like 60s, 10m or 8h",
				   arg);
		return 0;
	case 'j':
		a->jobs = number(state, "jobs", arg, 1, 64);
		return 0;
	case OPT_REPEAT:
		a->q.repeat = number(state, "repeat", arg, 1, 10000);
		return 0;
	case OPT_REPEAT_MAX:
		a->q.repeat_max = number(state, "repeat-max", arg, 1, 100000);
		return 0;
	case ARGP_KEY_END:
		if (!a->resume && !a->setup.n_kernels)
			argp_error(state, "which kernel? --kernel is missing");
		if (a->resume && !a->dir)
			argp_error(state, "--resume needs -o DIR");
		if (a->resume && (a->setup.n_kernels || a->setup.baseline || a->n_corpus))
			argp_error(state,
				   "--resume goes on with the kernels and scenarios "
				   "that are in -o DIR");
		return 0;
	default:
		return parse_more(key, arg, state);
	}
}

static int complain(const char *what, const char *why, int status)
{
	fprintf(stderr, "shortfuse: %s%s%s\n", what, what[0] ? ": " : "", why);
	return status;
}

/* What is typed wrong, or does not parse, is told before anything is made on disk. */
static int set_up_new(struct arguments *a)
{
	char err[600];

	if (!a->q.repeat_max)
		a->q.repeat_max = 8 * a->q.repeat;
	if (a->q.repeat_max < a->q.repeat)
		a->q.repeat_max = a->q.repeat;
	a->q.began = time(NULL);
	a->setup.corpus = a->corpus;
	if (setup_columns(&a->q, &a->setup, err) < 0)
		return complain("", err, EXIT_USAGE);
	return setup_rows(&a->q, &a->setup, err) < 0 ? complain("", err, EXIT_USAGE) : 0;
}

static int load_old(struct arguments *a, int dir_fd)
{
	char err[300];

	qualification_release(&a->q);
	if (store_read(dir_fd, &a->q, err) < 0)
		return complain(a->dir, err, EXIT_USAGE);
	/* A kernel that could not be used may be there now. */
	for (unsigned int i = 0; i < a->q.n_columns; i++)
		a->q.columns[i].error[0] = '\0';
	return 0;
}

static int open_dir(struct arguments *a, int *ret_fd)
{
	int fd = a->resume ? open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			   : file_make_dir(AT_FDCWD, a->dir);

	if (a->resume && fd < 0)
		fd = -errno;
	if (fd < 0)
		return complain(a->dir, strerror(-fd), EXIT_USAGE);
	*ret_fd = fd;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return complain(a->dir, "a qualification is running there", EXIT_USAGE);
	if (a->resume)
		return load_old(a, fd);
	if (!faccessat(fd, STORE_FILE, F_OK, 0))
		return complain(
			a->dir,
			"it holds another qualification; go on with it by --resume, "
			"or choose another -o",
			EXIT_USAGE);
	return 0;
}

static int write_reports(const struct arguments *a, int dir_fd)
{
	struct report report = {.q = &a->q, .dir_fd = dir_fd};
	char page[PATH_MAX];
	int status = 0, ret;

	snprintf(page, sizeof(page), "%.4000s/report.html", a->dir);
	for (unsigned int i = 0; report_formats[i].option; i++) {
		if (!strcmp(report_formats[i].option, "html")) {
			ret = report_to_file(&report, &report_formats[i], page);
			if (ret < 0)
				status = complain(page, strerror(-ret), EXIT_INFRA);
		}
		if (!a->formats[i])
			continue;
		ret = report_to_file(&report, &report_formats[i], a->formats[i]);
		if (ret < 0)
			status = complain(a->formats[i], strerror(-ret), EXIT_INFRA);
	}
	return status;
}

static void summary(const struct arguments *a)
{
	const struct qualification *q = &a->q;
	char span[32];

	duration_format((long)q->seconds, span);
	printf("\n%s: %u scenarios on %u kernel%s, %s\n", qualification_names[q->verdict],
	       q->n_rows, q->n_columns, q->n_columns == 1 ? "" : "s", span);
	for (unsigned int s = STATE_COUNT; s-- > 0;)
		if (q->states[s])
			printf("  %u %s", q->states[s], state_names[s]);
	printf("\n");
	for (unsigned int i = 0; i < q->n_reasons; i++)
		printf("- %s\n", q->reasons[i]);
	printf("Results: %s/report.html\n", a->dir);
	fflush(stdout);
}

static int exit_status(enum qualification_verdict verdict)
{
	switch (verdict) {
	case Q_REGRESSION:
		return EXIT_FLAGGED;
	case Q_INCONCLUSIVE:
		return EXIT_INFRA;
	default:
		return EXIT_CLEAN;
	}
}

/* The corpus, the campaigns, and what the campaigns found. */
static int run_all(struct arguments *a, struct matrix *matrix, const char *program_dir)
{
	struct fuzzing fuzzing = {.matrix = matrix,
				  .dir = a->dir,
				  .program_dir = program_dir,
				  .corpus = a->corpus,
				  .stop_fd = &campaign_fd};
	int ret = store_write(&a->q, matrix->dir_fd);

	if (!ret)
		ret = matrix_run(matrix);
	if (!ret && a->q.fuzz_seconds && !stopped) {
		ret = fuzzing_run(&fuzzing);
		if (!ret && !stopped)
			ret = matrix_run(matrix);
	}
	return ret;
}

static int qualify(struct arguments *a, int dir_fd, const struct known *known,
		   const char *program_dir)
{
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = (int)SA_RESETHAND};
	struct judge judge = {.known = known};
	struct matrix matrix = {.q = &a->q,
				.judge = &judge,
				.dir_fd = dir_fd,
				.jobs = a->jobs,
				.verbose = a->verbose,
				.stop = &stopped,
				.tell = tell};
	time_t now = time(NULL);
	struct tm tm;
	int ret, status;

	strftime(judge.today, sizeof(judge.today), "%Y-%m-%d", gmtime_r(&now, &tm));
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	printf("Qualifying %s%s%s: %u scenarios, %u runs each; results in %s\n",
	       a->q.columns[0].name,
	       a->q.n_columns > a->q.n_candidates ? " against " : "",
	       a->q.n_columns > a->q.n_candidates ? a->q.columns[a->q.n_candidates].name
						  : "",
	       a->q.n_rows, a->q.repeat, a->dir);
	fflush(stdout);
	ret = run_all(a, &matrix, program_dir);
	if (!ret)
		ret = judge_all(&a->q, &judge);
	if (!ret)
		ret = store_write(&a->q, dir_fd);
	if (ret < 0)
		return complain(a->dir, strerror(-ret), EXIT_INFRA);
	status = write_reports(a, dir_fd);
	summary(a);
	if (stopped)
		printf("Interrupted; go on with: shortfuse qualify --resume -o %s\n",
		       a->dir);
	return status ? status : exit_status(a->q.verdict);
}

static void fill_defaults(struct arguments *a, char *dir, size_t dir_size,
			  char *program_dir, char *corpus)
{
	ssize_t n = readlink("/proc/self/exe", program_dir, 500);
	time_t now = time(NULL);
	struct tm tm;
	char *slash;

	program_dir[n < 0 ? 0 : n] = '\0';
	slash = strrchr(program_dir, '/');
	if (slash)
		*slash = '\0';
	snprintf(corpus, 600, "%.500s/../corpus", program_dir);
	if (!a->n_corpus)
		a->corpus[a->n_corpus++] = corpus;
	if (a->dir)
		return;
	strftime(dir, dir_size, "results/qualify-%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	a->dir = dir;
}

int cmd_qualify(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"[SCENARIO|FOLDER...]",
		"Qualify a kernel before rollout: run a corpus (default: the project's) "
		"on it "
		"and on a baseline, fuzz both, compare.\v"
		"Exit status: 0 PASS or IMPROVED, 1 REGRESSION, 2 usage, 3 INCONCLUSIVE.",
		NULL,
		NULL,
		NULL};
	static struct arguments a;
	static struct known known;
	char dir[64], program_dir[512], corpus[600];
	char err[300];
	int status, dir_fd = -1;

	a.jobs = 1;
	qualification_init(&a.q);
	a.q.repeat = 3;
	a.q.seed = 1;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	fill_defaults(&a, dir, sizeof(dir), program_dir, corpus);
	status = known_load(a.known, &known, err) < 0 ? complain(a.known, err, EXIT_USAGE)
						      : 0;
	if (!status && !a.resume)
		status = set_up_new(&a);
	if (!status)
		status = open_dir(&a, &dir_fd);
	if (!status)
		status = qualify(&a, dir_fd, &known, program_dir);
	if (dir_fd >= 0)
		close(dir_fd);
	qualification_release(&a.q);
	return status;
}

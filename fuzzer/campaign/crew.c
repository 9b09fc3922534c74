/* SPDX-License-Identifier: MIT */
/* Decides how many jobs are worth having. */

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "crew.h"

#define LOOK_S	      3
#define IDLE_PERCENT  10 /* below that one more job brings nothing */
#define TROUBLE_MIN   4
#define TROUBLE_SHARE 25 /* one run of so many */
#define GUEST_MB      512

/* Jobs a CPU at the start, and at most. An emulated CPU is busy with one guest. */
static const struct {
	const char *target;
	unsigned int first, most;
} starts[] = {{"host", 4, 8}, {"uml", 2, 8}, {"qemu", 1, 4}};

static unsigned int guests_in_memory(void)
{
	long pages = sysconf(_SC_AVPHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return (unsigned int)(pages / 2 * (size / 1024) / 1024 / GUEST_MB) + 1;
}

static unsigned int at_most(unsigned int n, unsigned int max)
{
	return n < max ? n : max;
}

void crew_init(struct crew *crew, unsigned int asked, const char *target)
{
	unsigned int cpus = cpus_allowed(), i = 0;
	size_t len = strcspn(target, ":,");

	memset(crew, 0, sizeof(*crew));
	crew->fixed = asked != JOBS_AUTO;
	crew->n = crew->max = asked;
	if (crew->fixed)
		return;
	while (i < 2 && (strlen(starts[i].target) != len ||
			 strncmp(starts[i].target, target, len)))
		i++;
	crew->max = at_most(starts[i].most * cpus, JOBS_MAX);
	if (i)
		crew->max = at_most(crew->max, guests_in_memory());
	crew->n = at_most(starts[i].first * cpus, crew->max);
}

/* Percent of the time since the last look; 0 where it is not known. */
static unsigned int idle_since(struct crew *crew)
{
	struct cpu_times now, was = crew->times;

	if (cpus_read_times(&now) < 0)
		return 0;
	crew->times = now;
	if (!was.all || now.all <= was.all || now.idle < was.idle)
		return 0;
	return (unsigned int)(100 * (now.idle - was.idle) / (now.all - was.all));
}

unsigned int crew_look(struct crew *crew, long now, uint64_t runs, uint64_t trouble)
{
	uint64_t new_runs = runs - crew->runs, new_trouble = trouble - crew->trouble;
	unsigned int idle;

	if (crew->fixed || now - crew->looked < LOOK_S)
		return crew->n;
	idle = idle_since(crew);
	crew->looked = now;
	crew->runs = runs;
	crew->trouble = trouble;
	if (new_trouble >= TROUBLE_MIN && new_trouble * TROUBLE_SHARE > new_runs) {
		crew->n -= crew->n / 4;
		crew->max = crew->n;
	} else if (idle > IDLE_PERCENT && new_runs) {
		crew->n = at_most(crew->n + (crew->n + 1) / 2, crew->max);
	}
	return crew->n;
}

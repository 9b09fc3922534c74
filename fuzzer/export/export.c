/* SPDX-License-Identifier: MIT */
/* Writes a scenario as one C file. */

#include <errno.h>
#include <stdarg.h>

#include "parts.h"

void emit(struct emitter *em, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(em->out, format, ap);
	va_end(ap);
}

int export_c(const struct scenario *scn, const struct export_facts *facts, FILE *out,
	     char *err)
{
	struct emitter em = {.out = out, .scn = scn, .facts = facts};
	int ret = needs_of(scn, facts, &em.needs, err);

	if (ret < 0)
		return ret;
	emit_head(&em);
	emit_server(&em);
	emit_tasks(&em);
	emit_watch(&em);
	if (fflush(out) || ferror(out)) {
		snprintf(err, ERROR_SIZE, "the file cannot be written");
		return -EIO;
	}
	return 0;
}

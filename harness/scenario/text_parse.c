/* SPDX-License-Identifier: MIT */
/* Text to scenarios, statement by statement; what they mean together is checked in
 * text_check.c. */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "text_parser.h"
#include "verdict.h"

/* Is it "tN"? Any number is taken, so that the caller can tell that t9 is too much. */
static bool is_task_id(struct word word)
{
	if (word.len < 2 || word.s[0] != 't')
		return false;
	for (size_t i = 1; i < word.len; i++) {
		if (!isdigit((unsigned char)word.s[i]))
			return false;
	}
	return true;
}

static int parse_task_id(struct parser *ps, struct word word)
{
	char message[150];
	unsigned int id;

	if (arg_parse(ARG_TASK, word, &id, message, sizeof(message)) < 0)
		return text_fail(ps, text_place(ps, word.s), "%s", message);
	return id;
}

static int parse_parent(struct parser *ps, struct scn_task *task)
{
	struct word word;
	int id;

	text_skip_blanks(ps);
	ps->task_parent[ps->scn.n_tasks] = text_place(ps, ps->at);
	word = text_word(ps);
	if (word_is(word, "ctl")) {
		task->parent = ACTOR_CTL;
	} else if (word_is(word, "daemon")) {
		task->parent = ACTOR_DAEMON;
	} else if (is_task_id(word)) {
		id = parse_task_id(ps, word);
		if (id < 0)
			return id;
		if (!scenario_task(&ps->scn, id))
			return text_fail(ps, text_place(ps, word.s),
					 "task t%d is not declared before this line", id);
		task->parent = id;
	} else {
		ps->at = word.s;
		return text_fail_expected(
			ps, "a parent: ctl, daemon or a task declared before");
	}
	return 0;
}

/* task t1: thread of t0 late */
static int parse_task(struct parser *ps)
{
	unsigned int n = ps->scn.n_tasks;
	struct scn_task task = {.parent = ACTOR_CTL};
	struct names kinds = {0};
	struct word word;
	int ret;

	if (text_at_end(ps))
		return text_fail_expected(ps, "a task, t0 .. t7");
	word = text_word(ps);
	ret = parse_task_id(ps, word);
	if (ret < 0)
		return ret;
	task.id = ret;
	if (scenario_task(&ps->scn, task.id))
		return text_fail(ps, text_place(ps, word.s), "task t%u is declared twice",
				 task.id);
	ret = text_expect_colon(ps, "the task");
	if (ret < 0)
		return ret;
	names_add_strings(&kinds, task_kind_names, TASK_KIND_COUNT);
	ret = text_expect_name(ps, &kinds, "kind of task", &ps->task_kind[n]);
	if (ret < 0)
		return ret;
	task.kind = ret;
	while (!text_at_end(ps)) {
		const char *at = ps->at;

		word = text_word(ps);
		ret = 0;
		if (word_is(word, "of") && task.parent == ACTOR_CTL) {
			ret = parse_parent(ps, &task);
		} else if (word_is(word, "late") && !task.late) {
			task.late = 1;
		} else {
			ps->at = at;
			ret = text_fail_expected(
				ps, "\"of PARENT\", \"late\" or the end of the line");
		}
		if (ret < 0)
			return ret;
	}
	ps->scn.tasks[ps->scn.n_tasks++] = task;
	return 0;
}

static int parse_arg(struct parser *ps, enum arg_class class, const char *of,
		     unsigned int *ret_value)
{
	char message[180];
	struct word word;

	*ret_value = 0;
	if (class == ARG_NONE)
		return 0;
	if (text_at_end(ps) || *ps->at == ':') {
		snprintf(message, sizeof(message), "%s (%s) after \"%s\"",
			 arg_table[class].name, arg_table[class].values, of);
		return text_fail_expected(ps, message);
	}
	word = text_word(ps);
	if (arg_parse(class, word, ret_value, message, sizeof(message)) < 0)
		return text_fail(ps, text_place(ps, word.s), "%s", message);
	return 0;
}

/* "#3": the third match only. A comment cannot stand here, so the "#" is no comment. */
static int parse_nth(struct parser *ps, struct scn_fault *fault)
{
	struct word word;
	unsigned int nth;

	text_skip_blanks(ps);
	if (ps->at == ps->eol || *ps->at != '#')
		return 0;
	ps->at++;
	word = (struct word){ps->at, 0};
	if (ps->at < ps->eol && isdigit((unsigned char)*ps->at))
		word = text_word(ps);
	if (number_parse(word, SCN_MAX_NTH, &nth) < 0 || !nth)
		return text_fail(ps, text_place(ps, word.s - 1),
				 "expected #1 .. #%d (which match), found \"#%.*s\"",
				 SCN_MAX_NTH, SHOWN(word));
	fault->nth = nth;
	return 0;
}

static int parse_requester(struct parser *ps, struct scn_fault *fault)
{
	struct word word;
	int id;

	text_skip_blanks(ps);
	ps->fault_from[ps->scn.n_faults] = text_place(ps, ps->at);
	word = text_word(ps);
	if (word_is(word, "any")) {
		fault->requester = ACTOR_ANY;
	} else if (word_is(word, "kernel")) {
		fault->requester = ACTOR_KERNEL;
	} else if (word_is(word, "daemon")) {
		fault->requester = ACTOR_DAEMON;
	} else if (is_task_id(word)) {
		id = parse_task_id(ps, word);
		if (id < 0)
			return id;
		fault->requester = id;
	} else {
		ps->at = word.s;
		return text_fail_expected(ps,
					  "a requester: t0 .. t7, daemon, kernel or any");
	}
	return 0;
}

/* fault: FLUSH #1 from t1: errno EIO */
static int parse_fault(struct parser *ps)
{
	struct scn_fault fault = {.requester = ACTOR_ANY};
	struct names opcodes = {0}, actions = {0};
	unsigned int n = ps->scn.n_faults, value;
	struct place place;
	int ret;

	if (n == SCN_MAX_FAULTS)
		return text_fail(ps, text_place(ps, ps->line), "more than %d faults",
				 SCN_MAX_FAULTS);
	names_add_table(&opcodes, opcode_table);
	names_add(&opcodes, "any");
	ret = text_expect_name(ps, &opcodes, "opcode", &ps->fault_opcode[n]);
	if (ret < 0)
		return ret;
	fault.opcode = opcode_table[ret].name ? opcode_table[ret].value : 0;
	ret = parse_nth(ps, &fault);
	if (ret == 0 && ps->eol - ps->at > 0) {
		const char *at = (text_skip_blanks(ps), ps->at);

		if (word_is(text_word(ps), "from"))
			ret = parse_requester(ps, &fault);
		else
			ps->at = at;
	}
	if (ret == 0)
		ret = text_expect_colon(ps, "what the fault matches");
	if (ret < 0)
		return ret;
	names_add_faults(&actions);
	ret = text_expect_name(ps, &actions, "fault", &place);
	if (ret < 0)
		return ret;
	fault.action = ret;
	ret = parse_arg(ps, fault_table[fault.action].arg, fault_table[fault.action].name,
			&value);
	if (ret < 0)
		return ret;
	fault.value = value;
	ps->scn.faults[ps->scn.n_faults++] = fault;
	return 0;
}

static int fail_actor(struct parser *ps, struct place place, unsigned int op,
		      const char *actor)
{
	unsigned int who = op_table[op].who;

	return text_fail(
		ps, place, "%s cannot \"%s\"; only %s can", actor, op_table[op].name,
		!(who & WHO_CTL) ? who & WHO_TASK ? "a task or the daemon" : "the daemon"
		: !(who & WHO_TASK) ? "ctl"
				    : "another actor");
}

/* The rest of "t1: open fd0 f0 rdwr" */
static int parse_step(struct parser *ps, unsigned int actor, struct place at)
{
	static const char *const actors[] = {
		[ACTOR_CTL] = "ctl", [ACTOR_DAEMON] = "the daemon"};
	unsigned int n = ps->scn.n_steps, value[4];
	struct names ops = {0};
	struct place place;
	int op;

	if (n == SCN_MAX_STEPS)
		return text_fail(ps, at, "more than %d steps", SCN_MAX_STEPS);
	names_add_ops(&ops);
	op = text_expect_name(ps, &ops, "operation", &place);
	if (op < 0)
		return op;
	if (op_actor(op, actor) != actor)
		return fail_actor(ps, place, op,
				  actor < SCN_MAX_TASKS ? "a task" : actors[actor]);
	for (unsigned int i = 0; i < 4; i++) {
		int ret;

		text_skip_blanks(ps);
		if (i == 0)
			ps->step_arg[n] = text_place(ps, ps->at);
		ret = parse_arg(ps, op_table[op].arg[i], op_table[op].name, &value[i]);
		if (ret < 0)
			return ret;
	}
	ps->step[n] = at;
	ps->scn.steps[ps->scn.n_steps++] = (struct scn_step){
		.actor = actor,
		.op = op,
		.a = value[0],
		.b = value[1],
		.c = value[2],
		.v = value[3],
	};
	return 0;
}

static const struct statement {
	const char *name;
	int (*parse)(struct parser *ps);
	bool once;
} statements[] = {
	{"expect", text_parse_expect, true}, {"config", text_parse_config, true},
	{"mount", text_parse_mount, true},   {"init", text_parse_init, true},
	{"open", text_parse_open, true},     {"cache", text_parse_cache, true},
	{"task", parse_task, false},	     {"fault", parse_fault, false},
};

#define N_STATEMENTS (sizeof(statements) / sizeof(statements[0]))

static int parse_keyword(struct parser *ps, unsigned int index, struct place place)
{
	const struct statement *st = &statements[index];
	int ret;

	if (st->once && ps->seen[index])
		return text_fail(ps, place, "second \"%s\"; the first is in line %u",
				 st->name, ps->seen[index]);
	ps->seen[index] = ps->line_no;
	if (st->parse == parse_task)
		return parse_task(ps);
	ret = text_expect_colon(ps, "the keyword");
	return ret < 0 ? ret : st->parse(ps);
}

static int parse_statement(struct parser *ps)
{
	struct names names = {0};
	char hint[150] = "";
	struct word word = text_word(ps);
	struct place place = text_place(ps, word.s);
	int actor = ACTOR_CTL, ret;

	for (unsigned int i = 0; i < N_STATEMENTS; i++) {
		if (word_is(word, statements[i].name))
			return parse_keyword(ps, i, place);
		names_add(&names, statements[i].name);
	}
	if (word_is(word, "daemon")) {
		actor = ACTOR_DAEMON;
	} else if (is_task_id(word)) {
		actor = parse_task_id(ps, word);
		if (actor < 0)
			return actor;
	} else if (!word_is(word, "ctl")) {
		names_add(&names, "daemon");
		names_add(&names, "ctl");
		names_suggest(&names, word, hint, sizeof(hint));
		return text_fail(
			ps, place, "unknown statement \"%.*s\"%s", SHOWN(word),
			*hint ? hint
			      : "; expected a keyword such as \"task\", or an actor");
	}
	ret = text_expect_colon(ps, "the actor");
	return ret < 0 ? ret : parse_step(ps, actor, place);
}

static int parse_line(struct parser *ps)
{
	int ret;

	for (const char *c = ps->line; c < ps->eol; c++) {
		if ((unsigned char)*c < ' ' && !text_is_blank(*c))
			return text_fail(ps, text_place(ps, c),
					 "this is not text: byte 0x%02x",
					 (unsigned char)*c);
	}
	if (text_at_end(ps))
		return 0;
	ret = parse_statement(ps);
	if (ret == 0 && !text_at_end(ps))
		return text_fail_expected(ps, "the end of the line");
	return ret;
}

int scenario_parse(const char *text, size_t len, struct scenario *ret_scn,
		   struct text_error *ret_error)
{
	struct parser ps = {.error = ret_error};
	const char *end = text + len;
	int ret;

	scenario_init(&ps.scn);
	ps.scn.n_tasks = 0;
	for (ps.line = text; ps.line < end; ps.line = ps.eol + 1) {
		ps.line_no++;
		ps.at = ps.line;
		ps.eol = memchr(ps.line, '\n', end - ps.line);
		if (!ps.eol)
			ps.eol = end;
		ret = parse_line(&ps);
		if (ret < 0)
			return ret;
	}
	if (!ps.scn.n_tasks) /* "task t0: fork" goes without saying */
		ps.scn.tasks[ps.scn.n_tasks++] = (struct scn_task){.parent = ACTOR_CTL};
	ret = text_check(&ps);
	if (ret < 0)
		return ret;
	*ret_scn = ps.scn;
	return 0;
}

/*
 * Records have bytes that no text has: scenario_encode() writes a config record first,
 * 0x0e. Mutated ones can be printable by chance ("00000000"), so a line end or a colon is
 * asked for as well.
 */
bool scenario_is_text(const char *buf, size_t len)
{
	bool mark = false;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = buf[i];

		if (c == '\n' || c == ':')
			mark = true;
		else if ((c < ' ' && !text_is_blank(c)) || c == 0x7f)
			return false;
	}
	return mark;
}

/* SPDX-License-Identifier: MIT */
/* Unwinds one blocked task with libunwind, from PC and SP alone. */
#include "unwind.h"

#include <inttypes.h>
#include <libunwind-ptrace.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness/util/bulk.h"

#define MAX_MAPS   512
#define SCAN_BYTES (64u << 10)
#define PAGE	   4096u
#define MAX_PAGES  64
#define MAX_NAMES  256
#define PROLOGUE   64u /* bytes of code in which a function makes its frame */
#define SAVED_MAX  5u  /* rbx, r12 - r15 */

struct map {
	uint64_t start, end;
	uint64_t file; /* inode and device; 0: none */
	bool exec, fuse;
};

/* libunwind gives its accessors now our argument, now that of _UPT: one task at a time, kept here. The
 * process is disposable and has one thread. */
static struct {
	pid_t pid;
	uint64_t pc, sp, rbp;
	bool rbp_known, touched_fuse;
	size_t n_maps;
	struct map maps[MAX_MAPS];
	uint64_t page_at
		[MAX_PAGES]; /* by page number; a blocked task's memory stands still */
	uint8_t page[MAX_PAGES][PAGE];
	void *upt;
} target BULK;

/* The tasks of a run are forks of one binary: a name costs a walk through all of its symbols. */
static struct {
	uint64_t pc, start, file;
	char name[SNAP_NAME];
} names[MAX_NAMES];
static size_t n_names;

static bool read_remote(uint64_t addr, void *buf, size_t size)
{
	struct iovec local = {buf, size}, remote = {(void *)(uintptr_t)addr, size};

	return process_vm_readv(target.pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* libunwind asks for one word at a time. */
static bool read_mem(uint64_t addr, void *buf, size_t size)
{
	uint64_t base = addr & ~(uint64_t)(PAGE - 1);
	size_t slot = addr / PAGE % MAX_PAGES;

	if (addr + size > base + PAGE)
		return read_remote(addr, buf, size);
	if (!base || target.page_at[slot] != base) {
		target.page_at[slot] = 0;
		if (!read_remote(base, target.page[slot], PAGE))
			return false;
		target.page_at[slot] = base;
	}
	memcpy(buf, target.page[slot] + (addr - base), size);
	return true;
}

static void read_maps(uint32_t fuse_minor)
{
	char path[32], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", target.pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (target.n_maps < MAX_MAPS && fgets(line, sizeof(line), f)) {
		struct map *map = &target.maps[target.n_maps];
		unsigned int major, minor;
		unsigned long inode;
		char perms[8];

		if (!strchr(line, '\n')) /* the rest of a long path */
			for (int c = 0; c != '\n' && c != EOF;)
				c = fgetc(f);
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %x:%x %lu", &map->start,
			   &map->end, perms, &major, &minor, &inode) != 6)
			continue;
		map->file = inode ? inode << 20 ^ major << 10 ^ minor : 0;
		map->exec = perms[2] == 'x';
		map->fuse = fuse_minor && major == 0 && minor == fuse_minor;
		target.n_maps++;
	}
	fclose(f);
}

static const struct map *find_map(uint64_t addr)
{
	for (size_t i = 0; i < target.n_maps; i++)
		if (addr >= target.maps[i].start && addr < target.maps[i].end)
			return &target.maps[i];
	return NULL;
}

/* Code that may be opened and read. */
static bool is_code(uint64_t addr)
{
	const struct map *map = find_map(addr);

	if (map && map->fuse)
		target.touched_fuse = true;
	return map && map->exec && !map->fuse;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *info,
			  int need, void *arg)
{
	(void)arg;
	if (!is_code(ip))
		return -UNW_ENOINFO;
	return _UPT_find_proc_info(as, ip, info, need, target.upt);
}

static int get_proc_name(unw_addr_space_t as, unw_word_t ip, char *buf, size_t size,
			 unw_word_t *offset, void *arg)
{
	(void)arg;
	if (!is_code(ip))
		return -UNW_ENOINFO;
	return _UPT_get_proc_name(as, ip, buf, size, offset, target.upt);
}

static int get_dyn_info(unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	(void)as, (void)addr, (void)arg;
	return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *value, int write,
		      void *arg)
{
	const struct map *map = find_map(addr);

	(void)as, (void)arg;
	if (write || (map && map->fuse) || !read_mem(addr, value, sizeof(*value)))
		return -UNW_EINVAL;
	return 0;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write,
		      void *arg)
{
	(void)as, (void)arg;
	if (write) {
		if (reg != UNW_X86_64_RBP)
			return -UNW_EBADREG;
		target.rbp = *value;
		target.rbp_known = true;
	} else if (reg == UNW_X86_64_RIP) {
		*value = target.pc;
	} else if (reg == UNW_X86_64_RSP) {
		*value = target.sp;
	} else if (reg == UNW_X86_64_RBP && target.rbp_known) {
		*value = target.rbp;
	} else {
		return -UNW_EBADREG;
	}
	return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value,
			int write, void *arg)
{
	(void)as, (void)reg, (void)value, (void)write, (void)arg;
	return -UNW_EBADREG;
}

static int resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

enum call { CALL_NONE, CALL_INDIRECT, CALL_OTHER, CALL_THIS };

/* What kind of call ends at ret, seen from the function at start: e8 rel32 or ff /2. */
static enum call call_before(uint64_t ret, uint64_t start)
{
	uint8_t code[7];
	int32_t rel;

	if (!is_code(ret) || !is_code(ret - sizeof(code)) ||
	    !read_mem(ret - sizeof(code), code, sizeof(code)))
		return CALL_NONE;
	memcpy(&rel, code + 3, sizeof(rel));
	if (code[2] == 0xe8 && ret + (uint64_t)(int64_t)rel == start)
		return CALL_THIS;
	for (int len = 2; len <= 7;
	     len++) /* opcode and ModRM first, then SIB and displacement */
		if (code[7 - len] == 0xff && (code[8 - len] >> 3 & 7) == 2)
			return CALL_INDIRECT;
	return code[2] == 0xe8 ? CALL_OTHER : CALL_NONE;
}

/*
 * Bytes that the function at start takes off its stack pointer for its locals, 0: not found. Registers that it saved
 * in between come on top. gcc and clang write "mov %rsp,%rbp" and "sub $N,%rsp" near its start, others between them.
 */
static uint64_t locals_of(uint64_t start)
{
	uint8_t code[PROLOGUE];
	bool framed = false;
	int32_t n;

	if (!is_code(start) || !is_code(start + sizeof(code)) ||
	    !read_mem(start, code, sizeof(code)))
		return 0;
	for (size_t i = 0; i + 7 <= sizeof(code); i++) {
		framed |= !memcmp(code + i, "\x48\x89\xe5", 3);
		if (framed && !memcmp(code + i, "\x48\x83\xec", 3))
			return code[i + 3] < 0x80 ? code[i + 3] : 0;
		if (framed && !memcmp(code + i, "\x48\x81\xec", 3)) {
			memcpy(&n, code + i + 3, sizeof(n));
			return n > 0 ? (uint64_t)n : 0;
		}
	}
	return 0;
}

/* How likely a frame is that of the function: what calls it, then one that is as far away as its prologue says. */
static int rank_of(enum call call, uint64_t depth, uint64_t locals)
{
	bool fits = locals && depth >= locals && depth <= locals + 8 * SAVED_MAX;

	return call == CALL_THIS ? 4 : fits ? 3 : call == CALL_INDIRECT ? 2 : 1;
}

/*
 * The frame pointer of the function at start, whose stack pointer is sp. Locals that were never written hold frames
 * of earlier calls: the nearest thing that looks like a frame need not be one.
 */
static bool find_rbp(uint64_t sp, uint64_t start, uint64_t *ret)
{
	static BULK uint64_t words[SCAN_BYTES / 8];
	const struct map *stack = find_map(sp);
	uint64_t locals = locals_of(start);
	int best = 0;
	size_t n;

	if (!stack || sp % 8)
		return false;
	n = (stack->end - sp) / 8;
	if (n > SCAN_BYTES / 8)
		n = SCAN_BYTES / 8;
	if (n < 2 || !read_mem(sp, words, n * 8))
		return false;
	for (size_t i = 0; i + 1 < n && best < 4; i++) {
		uint64_t at = sp + i * 8;
		enum call call = call_before(words[i + 1], start);
		int rank = rank_of(call, at - sp, locals);

		if (call == CALL_NONE || rank <= best)
			continue;
		/* A saved frame pointer leads outwards. */
		if (rank < 4 && (words[i] <= at || words[i] >= stack->end))
			continue;
		best = rank;
		*ret = at;
	}
	return best > 0;
}

static void look_up_name(unw_cursor_t *cursor, struct snap_uframe *frame)
{
	char name[SNAP_NAME - 10]; /* room for the offset */
	unw_word_t offset = 0;
	int ret = unw_get_proc_name(cursor, name, sizeof(name), &offset);

	if (ret && ret != -UNW_ENOMEM) /* ENOMEM: cut */
		snprintf(frame->name, SNAP_NAME, "?");
	else
		snprintf(frame->name, SNAP_NAME, "%s+0x%x", name, (unsigned int)offset);
}

static void name_frame(unw_cursor_t *cursor, struct snap_uframe *frame)
{
	const struct map *map = find_map(frame->pc);

	for (size_t i = 0; map && map->file && !map->fuse && i < n_names; i++)
		if (names[i].pc == frame->pc && names[i].start == map->start &&
		    names[i].file == map->file) {
			memcpy(frame->name, names[i].name, SNAP_NAME);
			return;
		}
	look_up_name(cursor, frame);
	if (!map || !map->file || n_names == MAX_NAMES)
		return;
	names[n_names].pc = frame->pc;
	names[n_names].start = map->start;
	names[n_names].file = map->file;
	memcpy(names[n_names++].name, frame->name, SNAP_NAME);
}

/* One step outwards; looks for RBP if that is what is missing. > 0: another frame. */
static int step(unw_cursor_t *cursor)
{
	unw_cursor_t before = *cursor;
	unw_proc_info_t info;
	unw_word_t sp, rbp;
	int ret = unw_step(cursor);

	if (ret >= 0 || target.rbp_known)
		return ret;
	*cursor = before;
	if (unw_get_proc_info(cursor, &info) || unw_get_reg(cursor, UNW_REG_SP, &sp) ||
	    !find_rbp(sp, info.start_ip, &rbp) ||
	    unw_set_reg(cursor, UNW_X86_64_RBP, rbp))
		return ret;
	return unw_step(cursor);
}

static void walk(unw_addr_space_t as, struct unwind_result *out)
{
	unw_cursor_t cursor;
	unw_word_t pc;
	int ret = unw_init_remote(&cursor, as, target.upt);

	while (ret >= 0) {
		struct snap_uframe *frame = &out->frames[out->n];

		if (unw_get_reg(&cursor, UNW_REG_IP, &pc) || !pc)
			break;
		frame->pc = pc;
		name_frame(&cursor, frame);
		__atomic_store_n(&out->n, (uint16_t)(out->n + 1), __ATOMIC_RELEASE);
		if (out->n == SNAP_FRAMES) {
			snprintf(out->note, SNAP_NAME, "cut after %d frames",
				 SNAP_FRAMES);
			return;
		}
		ret = step(&cursor);
		if (ret == 0)
			break;
	}
	if (target.touched_fuse)
		snprintf(out->note, SNAP_NAME, "code on the FUSE mount was not read");
	else if (ret < 0)
		snprintf(out->note, SNAP_NAME, "stops: %s", unw_strerror(ret));
}

void unwind_task(const struct snap_task *task, uint32_t fuse_minor,
		 struct unwind_result *out)
{
	unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = _UPT_put_unwind_info,
		.get_dyn_info_list_addr = get_dyn_info,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = get_proc_name,
	};
	unw_addr_space_t as = unw_create_addr_space(&accessors, 0);

	memset(&target, 0, sizeof(target));
	target.pid = task->tid;
	target.pc = task->pc;
	target.sp = task->sp;
	target.upt = _UPT_create(task->tid);
	if (!as || !target.upt) {
		snprintf(out->note, SNAP_NAME, "out of memory");
		return;
	}
	unw_set_caching_policy(as, UNW_CACHE_NONE);
	read_maps(fuse_minor);
	if (target.n_maps)
		walk(as, out);
	else
		snprintf(out->note, SNAP_NAME, "no memory map");
	_UPT_destroy(target.upt);
	unw_destroy_addr_space(as);
}

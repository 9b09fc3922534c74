/* SPDX-License-Identifier: MIT */
/* The FUSE server of an exported file: its few files, the replies, and the faults. */

#include <linux/fuse.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "parts.h"

extern const unsigned char pause_image_start[], pause_image_end[];

static bool needed(const struct emitter *em, unsigned int opcode)
{
	return em->needs.opcodes & OPCODE_BIT(opcode);
}

/* ---- files ---- */

static void emit_file(struct emitter *em, unsigned int path)
{
	const char *name = strrchr(path_table[path], '/');
	bool exists = path < PATH_N0;
	const char *mode = path == PATH_D0 || path == PATH_D1 ? "S_IFDIR | 0755"
			   : path == PATH_BIN		      ? "S_IFREG | 0755"
			   : path == PATH_SYM		      ? "S_IFLNK | 0777"
							      : "S_IFREG | 0644";

	if (path == PATH_ROOT || path >= PATH_GONE ||
	    (!exists && !em->needs.names_change))
		return;
	emit(em, "\t[%u] = {%s, \"%s\", %s},\n", path + 1, name ? "5" : "FUSE_ROOT_ID",
	     name ? name + 1 : path_table[path], exists ? mode : "0");
}

static void emit_image(struct emitter *em)
{
	const unsigned char *image = pause_image_start;
	size_t len = (size_t)(pause_image_end - pause_image_start);

	emit(em, "\n/* A static x86-64 ELF file that calls pause(2). */\n"
		 "static const unsigned char image[] = {");
	for (size_t i = 0; i < len; i++)
		emit(em, "%s%u,", i % 20 ? "" : "\n\t", image[i]);
	emit(em, "\n};\n");
}

static void emit_files(struct emitter *em)
{
	if (em->needs.image_mount)
		emit_image(em);
	if (em->needs.one_file)
		return;
	emit(em,
	     "\n/* The files, by node id. */\n"
	     "static %sstruct {\n"
	     "\tuint64_t parent;\n"
	     "\tconst char *name;\n"
	     "\tmode_t mode;%s\n"
	     "} files[] = {\n"
	     "\t[FUSE_ROOT_ID] = {0, \"\", S_IFDIR | 0755},\n",
	     em->needs.names_change ? "" : "const ",
	     em->needs.names_change ? " /* 0: it does not exist */" : "");
	for (unsigned int path = 0; path < PATH_COUNT; path++)
		if (em->needs.paths & 1u << path)
			emit_file(em, path);
	emit(em, "};\n");
}

/* ---- replies ---- */

static const char reply_text[] =
	"\nstatic void reply(const struct fuse_in_header *in, int error, const void "
	"*arg, size_t len)\n"
	"{\n"
	"\tstruct fuse_out_header out = {sizeof(out) + len, error, in->unique};\n"
	"\tstruct iovec iov[] = {{&out, sizeof(out)}, {(void *)arg, len}};\n"
	"\n"
	"\tif (writev(dev, iov, 2) < 0 && errno != ENOENT)\n"
	"\t\twarn(\"reply\");\n"
	"}\n"
	"#define REPLY(type, ...) reply(in, 0, &(struct type){__VA_ARGS__}, "
	"sizeof(struct type))\n"
	"\n"
	"static struct fuse_attr attr_of(uint64_t id)\n"
	"{\n"
	"\treturn (struct fuse_attr){.ino = id, .nlink = 1, .size = %s,\n"
	"\t\t\t\t  .mode = %s};\n"
	"}\n";

static const char lookup_text[] =
	"\n/* Node id, 0 if there is none. */\n"
	"static uint64_t lookup(uint64_t parent, const char *name)\n"
	"{\n"
	"\tuint64_t id = sizeof(files) / sizeof(files[0]);\n"
	"\n"
	"\twhile (--id > FUSE_ROOT_ID)\n"
	"\t\tif (files[id].parent == parent && !strcmp(files[id].name, name))\n"
	"\t\t\tbreak;\n"
	"\treturn id > FUSE_ROOT_ID ? id : 0;\n"
	"}\n";

static const char create_text[] = "\n/* Makes a file of one of the known names. */\n"
				  "static void create(const struct fuse_in_header *in, "
				  "const char *name, mode_t mode)\n"
				  "{\n"
				  "\tuint64_t id = lookup(in->nodeid, name);\n"
				  "\tstruct {\n"
				  "\t\tstruct fuse_entry_out entry;\n"
				  "\t\tstruct fuse_open_out open;\n"
				  "\t} out = {0};\n"
				  "\n"
				  "\tif (!id) {\n"
				  "\t\treply(in, -ENOSPC, NULL, 0);\n"
				  "\t\treturn;\n"
				  "\t}\n"
				  "\tfiles[id].mode = mode;\n"
				  "\tout.entry.nodeid = id;\n"
				  "\tout.entry.attr = attr_of(id);\n"
				  "%s"
				  "\treply(in, 0, &out, in->opcode == FUSE_CREATE ? "
				  "sizeof(out) : sizeof(out.entry));\n"
				  "}\n";

static const struct flag_name {
	unsigned int bit;
	const char *name;
} init_flags[] = {{INITF_ASYNC_READ, "FUSE_ASYNC_READ"},
		  {INITF_POSIX_LOCKS, "FUSE_POSIX_LOCKS"},
		  {INITF_FLOCK_LOCKS, "FUSE_FLOCK_LOCKS"},
		  {INITF_ATOMIC_O_TRUNC, "FUSE_ATOMIC_O_TRUNC"},
		  {INITF_READDIRPLUS, "FUSE_DO_READDIRPLUS"},
		  {INITF_READDIRPLUS_AUTO, "FUSE_READDIRPLUS_AUTO"},
		  {INITF_ASYNC_DIO, "FUSE_ASYNC_DIO"},
		  {INITF_WRITEBACK_CACHE, "FUSE_WRITEBACK_CACHE"},
		  {INITF_PARALLEL_DIROPS, "FUSE_PARALLEL_DIROPS"},
		  {INITF_HANDLE_KILLPRIV, "FUSE_HANDLE_KILLPRIV"},
		  {INITF_AUTO_INVAL_DATA, "FUSE_AUTO_INVAL_DATA"},
		  {INITF_CACHE_SYMLINKS, "FUSE_CACHE_SYMLINKS"},
		  {0, NULL}};

static const struct flag_name open_flags[] = {
	{OPENF_DIRECT_IO, "FOPEN_DIRECT_IO"},
	{OPENF_KEEP_CACHE, "FOPEN_KEEP_CACHE"},
	{OPENF_NONSEEKABLE, "FOPEN_NONSEEKABLE"},
	{OPENF_NOFLUSH, "FOPEN_NOFLUSH"},
	{OPENF_PARALLEL_DIRECT_WRITES, "FOPEN_PARALLEL_DIRECT_WRITES"},
	{0, NULL}};

static void emit_flag_names(struct emitter *em, unsigned int value,
			    const struct flag_name *flags, const char *before)
{
	for (; flags->name; flags++) {
		if (!(value & flags->bit))
			continue;
		emit(em, "%s%s", before, flags->name);
		before = " | ";
	}
}

static void emit_init(struct emitter *em)
{
	const struct scn_config *config = &em->scn->config;

	emit(em,
	     "\tcase FUSE_INIT:\n"
	     "\t\treturn REPLY(fuse_init_out, .major = FUSE_KERNEL_VERSION,\n"
	     "\t\t\t     .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = %u",
	     em->needs.max_write);
	if (needed(em, FUSE_READ))
		emit(em, ",\n\t\t\t     .max_readahead = 131072");
	if (config->init & ~(unsigned int)(INITF_NO_OPEN | INITF_NO_FLUSH))
		emit(em, ",\n\t\t\t     .flags = ");
	emit_flag_names(em, config->init, init_flags, "");
	if (config->max_background)
		emit(em, ",\n\t\t\t     .max_background = %u, .congestion_threshold = %u",
		     config->max_background, (config->max_background * 3u + 3) / 4);
	emit(em, ");\n");
}

static const char *valid(const struct emitter *em, const char *text)
{
	return em->scn->config.timeout ? text : "";
}

/* Is there any name to look up? */
static bool has_names(const struct emitter *em)
{
	return em->needs.paths & ~(1u << PATH_ROOT | 1u << PATH_OUT | 1u << PATH_GONE);
}

static void emit_names(struct emitter *em)
{
	const char *found = em->needs.names_change ? "id && files[id].mode" : "id";

	emit(em, "\tcase FUSE_LOOKUP:\n");
	if (em->needs.one_file && em->needs.paths & 1u << PATH_F0)
		emit(em,
		     "\t\treturn REPLY(fuse_entry_out, .nodeid = 2, .attr = "
		     "attr_of(2)%s);\n",
		     valid(em, ",\n\t\t\t     .entry_valid = 3600, .attr_valid = 3600"));
	else if (has_names(em))
		emit(em,
		     "\t\tid = lookup(in->nodeid, arg);\n"
		     "\t\tif (%s)\n"
		     "\t\t\treturn REPLY(fuse_entry_out, .nodeid = id, .attr = "
		     "attr_of(id)%s);\n"
		     "\t\treturn reply(in, -ENOENT, NULL, 0);\n",
		     found,
		     valid(em,
			   ",\n\t\t\t\t     .entry_valid = 3600, .attr_valid = 3600"));
	else
		emit(em, "\t\treturn reply(in, -ENOENT, NULL, 0);\n");
	emit(em, "\tcase FUSE_GETATTR:\n");
	if (needed(em, FUSE_SETATTR))
		emit(em, "\tcase FUSE_SETATTR:\n");
	emit(em, "\t\treturn REPLY(fuse_attr_out, .attr = attr_of(in->nodeid)%s);\n",
	     valid(em, ", .attr_valid = 3600"));
}

/* One row per reply that says something; "%s" in OPEN takes the flags. */
static const struct {
	unsigned int opcode;
	const char *code;
} replies[] = {
	{FUSE_READLINK, "\t\treturn reply(in, 0, \"f0\", 2);\n"},
	{FUSE_OPENDIR, "\t\treturn REPLY(fuse_open_out, .fh = 0);\n"},
	{FUSE_READDIR, "\t\treturn reply(in, 0, NULL, 0); /* empty */\n"},
	{FUSE_READDIRPLUS, "\t\treturn reply(in, 0, NULL, 0); /* empty */\n"},
	{FUSE_WRITE, "\t\treturn REPLY(fuse_write_out, .size = ((struct fuse_write_in "
		     "*)arg)->size);\n"},
	{FUSE_COPY_FILE_RANGE, "\t\treturn REPLY(fuse_write_out, .size = ((struct "
			       "fuse_copy_file_range_in *)arg)->len);\n"},
	{FUSE_LSEEK, "\t\treturn REPLY(fuse_lseek_out, .offset = ((struct fuse_lseek_in "
		     "*)arg)->offset);\n"},
	{FUSE_POLL, "\t\treturn REPLY(fuse_poll_out, .revents = ((struct fuse_poll_in "
		    "*)arg)->events);\n"},
	{FUSE_STATFS,
	 "\t\treturn REPLY(fuse_statfs_out, .st = {.bsize = 4096, .namelen = 255});\n"},
	{FUSE_GETXATTR, "\t\treturn reply(in, -ENODATA, NULL, 0);\n"},
	{FUSE_LISTXATTR, "\t\treturn reply(in, 0, NULL, 0);\n"},
	{FUSE_IOCTL, "\t\treturn reply(in, -ENOTTY, NULL, 0);\n"},
	{FUSE_CREATE,
	 "\t\treturn create(in, (char *)arg + sizeof(struct fuse_create_in), "
	 "S_IFREG | 0644);\n"},
	{FUSE_MKDIR, "\t\treturn create(in, (char *)arg + sizeof(struct fuse_mkdir_in), "
		     "S_IFDIR | 0755);\n"},
	{FUSE_MKNOD, "\t\treturn create(in, (char *)arg + sizeof(struct fuse_mknod_in), "
		     "S_IFREG | 0644);\n"},
	{FUSE_SYMLINK, "\t\treturn create(in, arg, S_IFLNK | 0777);\n"},
	{FUSE_LINK, "\t\treturn create(in, (char *)arg + sizeof(struct fuse_link_in), "
		    "S_IFREG | 0644);\n"},
};

/* The requests whose success is an empty reply, but RELEASE: nobody looks at what it is answered. */
static const unsigned int empty_replies[] = {
	FUSE_FLUSH,	  FUSE_FSYNC,	  FUSE_FSYNCDIR, FUSE_ACCESS, FUSE_SETXATTR,
	FUSE_REMOVEXATTR, FUSE_FALLOCATE, FUSE_SETLK,	 FUSE_SETLKW};

static void emit_open(struct emitter *em)
{
	emit(em, "\tcase FUSE_OPEN:\n");
	if (em->scn->config.init & INITF_NO_OPEN) {
		emit(em, "\t\treturn reply(in, -ENOSYS, NULL, 0);\n");
		return;
	}
	emit(em, "\t\treturn REPLY(fuse_open_out, .open_flags = ");
	emit_flag_names(em, em->scn->config.open, open_flags, "");
	emit(em, "%s);\n", em->scn->config.open ? "" : "0");
}

static void emit_read(struct emitter *em)
{
	if (em->needs.image_mount)
		emit(em,
		     "\tcase FUSE_READ: /* only the binary is ever read to its end */\n"
		     "\t\tif (in->nodeid == %u) {\n"
		     "\t\t\tsize_t at = ((struct fuse_read_in *)arg)->offset;\n\n"
		     "\t\t\tat = at < sizeof(image) ? at : sizeof(image);\n"
		     "\t\t\treply(in, 0, image + at, sizeof(image) - at);\n"
		     "\t\t\treturn;\n"
		     "\t\t}\n",
		     PATH_BIN + 1);
	else
		emit(em, "\tcase FUSE_READ:\n");
	emit(em, "\t\treply(in, 0, zeros, ((struct fuse_read_in "
		 "*)arg)->size);\n\t\treturn;\n");
}

/* Removing and renaming change which names exist. */
static void emit_removals(struct emitter *em)
{
	if (needed(em, FUSE_UNLINK) || needed(em, FUSE_RMDIR))
		emit(em, "\tcase FUSE_UNLINK:\n"
			 "\tcase FUSE_RMDIR:\n"
			 "\t\tfiles[lookup(in->nodeid, arg)].mode = 0;\n"
			 "\t\treturn reply(in, 0, NULL, 0);\n");
	if (needed(em, FUSE_RENAME2))
		emit(em, "\tcase FUSE_RENAME:\n"
			 "\tcase FUSE_RENAME2: {\n"
			 "\t\tchar *name = (char *)arg + (in->opcode == FUSE_RENAME\n"
			 "\t\t\t\t\t\t    ? sizeof(struct fuse_rename_in)\n"
			 "\t\t\t\t\t\t    : sizeof(struct fuse_rename2_in));\n"
			 "\t\tuint64_t from = lookup(in->nodeid, name);\n"
			 "\n"
			 "\t\tid = lookup(*(uint64_t *)arg, name + strlen(name) + 1);\n"
			 "\t\tfiles[id].mode = files[from].mode;\n"
			 "\t\tfiles[from].mode = 0;\n"
			 "\t\treply(in, 0, NULL, 0);\n"
			 "\t\treturn;\n"
			 "\t}\n");
}

/* Does a rule take every request of this kind? Then it is never answered. */
static bool all_taken(const struct scenario *scn, unsigned int opcode)
{
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].opcode == opcode && !scn->faults[i].nth &&
		    scn->faults[i].requester == ACTOR_ANY &&
		    scn->faults[i].action == FAULT_drop)
			return true;
	return false;
}

static void emit_empty_replies(struct emitter *em)
{
	bool any = false;

	for (size_t i = 0; i < sizeof(empty_replies) / sizeof(empty_replies[0]); i++) {
		unsigned int opcode = empty_replies[i];

		if (!needed(em, opcode) || all_taken(em->scn, opcode) ||
		    (opcode == FUSE_FLUSH && em->scn->config.init & INITF_NO_FLUSH))
			continue;
		emit(em, "\tcase FUSE_%s:\n", opcode_name(opcode));
		any = true;
	}
	if (any)
		emit(em, "\t\treturn reply(in, 0, NULL, 0);\n");
}

static bool uses_arg(const struct emitter *em)
{
	static const uint64_t plain =
		OPCODE_BIT(FUSE_OPEN) | OPCODE_BIT(FUSE_OPENDIR) |
		OPCODE_BIT(FUSE_READDIR) | OPCODE_BIT(FUSE_READDIRPLUS) |
		OPCODE_BIT(FUSE_STATFS) | OPCODE_BIT(FUSE_GETXATTR) |
		OPCODE_BIT(FUSE_LISTXATTR) | OPCODE_BIT(FUSE_IOCTL) |
		OPCODE_BIT(FUSE_READLINK) | OPCODE_BIT(FUSE_SETATTR);
	uint64_t empty = OPCODE_BIT(FUSE_RELEASE) | OPCODE_BIT(FUSE_RELEASEDIR);

	for (size_t i = 0; i < sizeof(empty_replies) / sizeof(empty_replies[0]); i++)
		empty |= OPCODE_BIT(empty_replies[i]);
	return em->needs.opcodes & ~(plain | empty) ||
	       (has_names(em) && !em->needs.one_file);
}

static void emit_answer(struct emitter *em)
{
	bool id = has_names(em) && !em->needs.one_file, arg = uses_arg(em);

	emit(em, "\nstatic void %s(const struct fuse_in_header *in)\n{\n",
	     em->needs.answers ? "answer" : "handle");
	if (arg)
		emit(em, "\tvoid *arg = (void *)(in + 1);\n");
	if (id)
		emit(em, "\tuint64_t id;\n");
	if (!em->needs.answers)
		emit_rules(em);
	emit(em, "%s\tswitch (in->opcode) {\n",
	     (id || arg) && (em->needs.answers || !em->scn->n_faults) ? "\n" : "");
	emit_init(em);
	emit_names(em);
	if (needed(em, FUSE_OPEN))
		emit_open(em);
	if (needed(em, FUSE_READ))
		emit_read(em);
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (needed(em, replies[i].opcode))
			emit(em, "\tcase FUSE_%s:\n%s", opcode_name(replies[i].opcode),
			     replies[i].code);
	emit_removals(em);
	emit_empty_replies(em);
	emit(em, "\tcase FUSE_FORGET:\n"
		 "\tcase FUSE_BATCH_FORGET:\n"
		 "\tcase FUSE_INTERRUPT: /* no reply: the request itself goes on */\n"
		 "\t\treturn;\n"
		 "\tdefault: /* RELEASE as well: nobody looks at its result */\n"
		 "\t\treturn reply(in, -ENOSYS, NULL, 0);\n"
		 "\t}\n"
		 "}\n");
}

void emit_server(struct emitter *em)
{
	emit_files(em);
	emit(em, reply_text,
	     em->needs.image_mount ? "id == 8 ? sizeof(image) : 65536" : "65536",
	     em->needs.one_file ? "id == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644"
				: "files[id].mode");
	if (has_names(em) && !em->needs.one_file)
		emit(em, "%s", lookup_text);
	if (em->needs.opcodes &
	    (OPCODE_BIT(FUSE_CREATE) | OPCODE_BIT(FUSE_MKDIR) | OPCODE_BIT(FUSE_MKNOD) |
	     OPCODE_BIT(FUSE_SYMLINK) | OPCODE_BIT(FUSE_LINK)))
		emit(em, create_text,
		     valid(em,
			   "\tout.entry.entry_valid = out.entry.attr_valid = 3600;\n"));
	if (needed(em, FUSE_READ))
		emit(em, "\nstatic char zeros[1 << 20];\n");
	if (em->needs.server_ids)
		emit_from_server(em);
	emit_answer(em);
	if (em->needs.answers)
		emit_faults(em);
}

/* SPDX-License-Identifier: MIT */
/* From the name of a kernel to a file to boot and the modules to load. */

#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "deb.h"
#include "targets/plumbing/executable.h"
#include "fetch.h"
#include "image.h"

#define UML_IMAGE   "/usr/bin/linux.uml"
#define UML_MODULES "/usr/lib/uml/modules"

void image_release(struct image *image)
{
	module_list_release(&image->modules);
}

/* One word for the inputs as they are now: content, or path, size and time, of each of the comma-separated files. */
static int cache_key(const char *files, char *key, size_t size, char *err)
{
	uint64_t hash = 0xcbf29ce484222325u;
	char *copy = strdup(files), *save = NULL, text[4400], sha[65];
	int ret = copy ? 0 : -ENOMEM;

	for (char *one = copy ? strtok_r(copy, ",", &save) : NULL; one && !ret;
	     one = strtok_r(NULL, ",", &save)) {
		struct stat st;

		if (stat(one, &st) < 0) {
			ret = -errno;
			snprintf(err, 300, "%.200s: %s", one, strerror(-ret));
			break;
		}
		/* What was downloaded is known by its content, wherever it lies. */
		if (!fetch_recorded_sha256(one, sha))
			snprintf(text, sizeof(text), "%s;", sha);
		else
			snprintf(text, sizeof(text), "%s:%lld:%lld.%ld;", one,
				 (long long)st.st_size, (long long)st.st_mtim.tv_sec,
				 st.st_mtim.tv_nsec);
		for (char *p = text; *p; p++)
			hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
	}
	free(copy);
	snprintf(key, size, "images/%016llx", (unsigned long long)hash);
	return ret;
}

static int load_info(const char *dir, struct image *image)
{
	char path[PATH_MAX];
	const char *kernel, *release;
	int console;
	json_t *root, *modules, *value;
	size_t i;

	snprintf(path, sizeof(path), "%.4000s/info.json", dir);
	root = json_load_file(path, 0, NULL);
	if (json_unpack(root, "{s:s, s:s, s:i, s:o}", "kernel", &kernel, "release",
			&release, "console", &console, "modules", &modules) < 0 ||
	    access(kernel, R_OK) < 0) {
		json_decref(root);
		return -ENOENT;
	}
	snprintf(image->kernel, sizeof(image->kernel), "%s", kernel);
	snprintf(image->release, sizeof(image->release), "%s", release);
	image->console = console;
	image->modules.path = calloc(json_array_size(modules) + 1, sizeof(char *));
	json_array_foreach(modules, i, value)
	{
		if (asprintf(&image->modules.path[i], "%s/%s", dir,
			     json_string_value(value)) < 0)
			break;
		image->modules.n = i + 1;
	}
	json_decref(root);
	return 0;
}

static int save_info(const char *dir, const struct image *image)
{
	json_t *modules = json_array(), *root;
	char path[PATH_MAX];
	int ret;

	for (size_t i = 0; i < image->modules.n; i++)
		json_array_append_new(
			modules, json_string(strrchr(image->modules.path[i], '/') + 1));
	root = json_pack("{s:s, s:s, s:i, s:o}", "kernel", image->kernel, "release",
			 image->release, "console", image->console, "modules", modules);
	snprintf(path, sizeof(path), "%.4000s/info.json", dir);
	ret = json_dump_file(root, path, JSON_INDENT(1)) < 0 ? -EIO : 0;
	json_decref(root);
	return ret;
}

static bool config_has(const char *path, const char *line)
{
	char buf[300];
	bool found = false;
	FILE *file = fopen(path, "re");

	while (file && !found && fgets(buf, sizeof(buf), file)) {
		buf[strcspn(buf, "\n")] = '\0';
		found = !strcmp(buf, line);
	}
	if (file)
		fclose(file);
	return found;
}

/* tree: the folder lib/modules/RELEASE, or NULL: all is built in, as far as can be known. */
static int add_modules(struct image *image, const char *tree, const char *config,
		       const char *out, bool uml, char *err)
{
	int ret, pci, console;

	image->console = IMAGE_UNKNOWN;
	if (!tree)
		return 0;
	ret = modules_add(tree, "fuse", out, &image->modules, err);
	if (ret == -ENOENT && !config_has(config, "CONFIG_FUSE_FS=y")) {
		snprintf(err, 300,
			 "kernel %.80s has no FUSE: no fuse.ko below %.150s, and it is "
			 "not built in",
			 image->release, tree);
		return -ENOPKG;
	}
	if (ret < 0 && ret != -ENOENT)
		return ret;
	if (uml)
		return 0;
	pci = modules_add(tree, "virtio_pci", out, &image->modules, err);
	console = pci >= 0
			  ? modules_add(tree, "virtio_console", out, &image->modules, err)
			  : pci;
	if ((pci < 0 && pci != -ENOENT) || (console < 0 && console != -ENOENT))
		return pci < 0 ? pci : console;
	image->console = console >= 0 ? IMAGE_VIRTIO : IMAGE_SERIAL;
	return 0;
}

/* The one file that matches; -ENOENT: none. */
static int glob_one(const char *pattern, char *buf, size_t size)
{
	glob_t found;
	int ret = -ENOENT;

	if (!glob(pattern, 0, NULL, &found) && found.gl_pathc) {
		snprintf(buf, size, "%s", found.gl_pathv[0]);
		ret = 0;
	}
	globfree(&found);
	return ret;
}

/* From an unpacked package: boot/vmlinuz-*, lib/modules/RELEASE. The kernel moves to dir. */
static int from_tree(struct image *image, const char *dir, const char *files, char *err)
{
	char pattern[PATH_MAX], vmlinuz[PATH_MAX], tree[PATH_MAX + 200],
		config[PATH_MAX + 200];
	int ret;

	snprintf(pattern, sizeof(pattern), "%.4000s/tree/boot/vmlinu[xz]-*", dir);
	if (glob_one(pattern, vmlinuz, sizeof(vmlinuz)) < 0) {
		snprintf(pattern, sizeof(pattern),
			 "%.4000s/tree/lib/modules/*/vmlinu[xz]", dir);
		if (glob_one(pattern, vmlinuz, sizeof(vmlinuz)) < 0) {
			snprintf(err, 300,
				 "%.200s: no kernel (boot/vmlinuz-*) in the package%s",
				 files,
				 strchr(files, ',') ? "s"
						    : "; is it split into linux-binary-* "
						      "and others?");
			return -ENOENT;
		}
	}
	ret = image_recognise(vmlinuz, image->release, err);
	if (ret < 0)
		return ret;
	snprintf(tree, sizeof(tree), "%.4000s/tree/lib/modules/%s", dir, image->release);
	snprintf(config, sizeof(config), "%.4000s/tree/boot/config-%s", dir,
		 image->release);
	if (access(tree, F_OK) < 0 && !config_has(config, "CONFIG_FUSE_FS=y")) {
		snprintf(err, 300,
			 "%.150s: modules of %.80s are missing (package linux-modules-*)",
			 files, image->release);
		return -ENOENT;
	}
	ret = add_modules(image, access(tree, F_OK) ? NULL : tree, config, dir, false,
			  err);
	if (ret < 0)
		return ret;
	snprintf(image->kernel, sizeof(image->kernel), "%.4000s/vmlinuz", dir);
	return rename(vmlinuz, image->kernel) < 0 ? -errno : 0;
}

static int from_packages(struct image *image, const char *dir, const char *files,
			 char *err)
{
	char *copy = strdup(files), *save = NULL, tree[PATH_MAX];
	int ret = copy ? 0 : -ENOMEM;

	snprintf(tree, sizeof(tree), "%.4000s/tree", dir);
	for (char *one = copy ? strtok_r(copy, ",", &save) : NULL; one && !ret;
	     one = strtok_r(NULL, ",", &save))
		ret = deb_unpack(one, tree, err);
	free(copy);
	if (!ret)
		ret = from_tree(image, dir, files, err);
	remove_tree(tree);
	return ret;
}

/* A kernel as a file, with its modules named, or looked for where "make modules_install" puts them. */
static int from_file(struct image *image, const char *dir, const char *files, bool uml,
		     char *err)
{
	const char *comma = strchr(files, ',');
	char tree[PATH_MAX + 200] = "", config[PATH_MAX + 200], parent[PATH_MAX];
	int kind;

	snprintf(image->kernel, sizeof(image->kernel), "%.*s",
		 comma ? (int)(comma - files) : (int)strlen(files), files);
	kind = image_recognise(image->kernel, image->release, err);
	if (kind < 0)
		return kind;
	if (uml != (kind == KIND_UML)) {
		snprintf(err, 300,
			 uml ? "%.200s: not a user-mode kernel; use qemu:"
			     : "%.200s: a user-mode kernel; use uml:",
			 image->kernel);
		return -ENOEXEC;
	}
	snprintf(parent, sizeof(parent), "%s", image->kernel);
	*strrchr(parent, '/') = '\0';
	snprintf(config, sizeof(config), "%.4000s/config-%s", parent, image->release);
	if (comma)
		snprintf(tree, sizeof(tree), "%s", comma + 1);
	else if (uml)
		snprintf(tree, sizeof(tree), UML_MODULES "/%s", image->release);
	else
		snprintf(tree, sizeof(tree), "%.4000s/lib/modules/%s", parent,
			 image->release);
	if (access(tree, F_OK) < 0 && !uml && !comma)
		snprintf(tree, sizeof(tree), "/lib/modules/%s", image->release);
	if (access(tree, F_OK) < 0 && comma) {
		snprintf(err, 300, "%.200s: %s", tree, strerror(errno));
		return -ENOENT;
	}
	return add_modules(image, access(tree, F_OK) ? NULL : tree, config, dir, uml,
			   err);
}

/* Takes the image from the cache, or makes it there: in a folder of its own first, as others may be at it too. */
static int open_cached(const char *files, bool uml, struct image *image, char *err)
{
	size_t len = strlen(files);
	char key[64], dir[PATH_MAX], temp[PATH_MAX];
	int ret = cache_key(files, key, sizeof(key), err);

	memset(image, 0, sizeof(*image));
	if (!ret)
		ret = cache_dir("images", temp, sizeof(temp) - 32);
	if (ret < 0)
		return ret;
	snprintf(dir, sizeof(dir), "%.4000s%s", temp, strchr(key, '/'));
	if (!load_info(dir, image))
		return 0;
	strcat(temp, "/.new-XXXXXX");
	if (!mkdtemp(temp))
		return -errno;
	if (len > 4 &&
	    (!strcmp(files + len - 4, ".deb") || !strcmp(files + len - 4, ".rpm")))
		ret = from_packages(image, temp, files, err);
	else
		ret = from_file(image, temp, files, uml, err);
	if (!ret && !strncmp(image->kernel, temp, strlen(temp)))
		snprintf(image->kernel, sizeof(image->kernel), "%.4000s/vmlinuz", dir);
	if (!ret)
		ret = save_info(temp, image);
	image_release(image);
	if (!ret) {
		remove_tree(dir); /* of an input that was gone when it was looked at */
		if (rename(temp, dir) < 0 && access(dir, F_OK) < 0)
			ret = -errno;
	}
	remove_tree(temp);
	return ret ? ret : load_info(dir, image);
}

/* Absolute paths: "a.deb,b.deb" -> "/x/a.deb,/x/b.deb". */
static int make_absolute(const char *files, char *buf, size_t size, char *err)
{
	char *copy = strdup(files), *save = NULL, path[PATH_MAX];
	size_t used = 0;
	int ret = copy ? 0 : -ENOMEM;

	buf[0] = '\0';
	for (char *one = copy ? strtok_r(copy, ",", &save) : NULL; one && !ret;
	     one = strtok_r(NULL, ",", &save)) {
		if (!realpath(one, path)) {
			ret = -errno;
			snprintf(err, 300, "%.200s: %s", one, strerror(errno));
			break;
		}
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "",
					 path);
		if (used >= size)
			ret = -ENAMETOOLONG;
	}
	free(copy);
	return ret;
}

static int open_running(struct image *image, char *err)
{
	struct utsname uts;
	char path[400];

	uname(&uts);
	snprintf(path, sizeof(path), "/boot/vmlinuz-%s", uts.release);
	if (access(path, R_OK) < 0) {
		snprintf(err, 300,
			 "%.200s: %s: the running kernel's image is not on this machine; "
			 "try qemu:6.12, or --target host",
			 path, strerror(errno));
		return -ENOENT;
	}
	return open_cached(path, false, image, err);
}

int image_open_qemu(const char *spec, struct image *ret, char *err)
{
	char files[8192], path[KERNEL_FILES_MAX];

	if (!strcmp(spec, "running"))
		return open_running(ret, err);
	if (!strchr(spec, '/') && !strchr(spec, ',') && access(spec, F_OK) < 0) {
		int found = fetch_cached(spec, path, sizeof(path), err);

		return found < 0 ? found : open_cached(path, false, ret, err);
	}
	if (make_absolute(spec, files, sizeof(files), err) < 0)
		return -ENOENT;
	return open_cached(files, false, ret, err);
}

int image_open_uml(const char *spec, struct image *ret, char *err)
{
	char files[8192];

	if (!spec && access(UML_IMAGE, X_OK) < 0) {
		snprintf(err, 300, UML_IMAGE ": %s; install the package user-mode-linux",
			 strerror(errno));
		return -ENOENT;
	}
	if (make_absolute(spec ? spec : UML_IMAGE, files, sizeof(files), err) < 0)
		return -ENOENT;
	return open_cached(files, true, ret, err);
}

/* SPDX-License-Identifier: MIT */
/* Which kernels the archive has, from what apt prints. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apt.h"
#include "offers.h"

#define FLAVOUR	  "-cloud-amd64"
#define WORDS_MAX 500

static const char *const parts[] = {"linux-binary-", "linux-modules-", "linux-base-"};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

const char *package_release(const char *package)
{
	if (!strncmp(package, "linux-image-", 12))
		return package + 12;
	return strncmp(package, "linux-binary-", 13) ? NULL : package + 13;
}

bool release_is_of(const char *release, const char *name)
{
	size_t len = strlen(name);

	return len && isdigit((unsigned char)name[0]) && !strncmp(release, name, len) &&
	       !isdigit((unsigned char)release[len]);
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !strncmp(text + len - n, end, n);
}

/* A word of the text that is exactly this package. */
static bool has_line(const char *text, const char *package)
{
	size_t len = strlen(package);

	for (const char *p = text; (p = strstr(p, package)); p += len)
		if ((p == text || p[-1] == '\n') && (!p[len] || p[len] == '\n'))
			return true;
	return false;
}

static int add(struct offers *offers, const char *names, const char *release, size_t len)
{
	struct offer *more =
		realloc(offers->offer, (offers->n + 1) * sizeof(*offers->offer));
	struct offer *one;
	char package[120];

	if (!more)
		return -ENOMEM;
	offers->offer = more;
	one = &more[offers->n++];
	*one = (struct offer){.whole = true};
	snprintf(one->release, sizeof(one->release), "%.*s", (int)len, release);
	snprintf(package, sizeof(package), "linux-binary-%s", one->release);
	one->split = has_line(names, package);
	for (size_t i = 0; one->split && i < N_PARTS; i++) {
		snprintf(package, sizeof(package), "%s%s", parts[i], one->release);
		one->whole &= has_line(names, package);
	}
	return 0;
}

static int by_release(const void *a, const void *b)
{
	return strverscmp(((const struct offer *)a)->release,
			  ((const struct offer *)b)->release);
}

static struct offer *find(const struct offers *offers, const char *release)
{
	for (size_t i = 0; i < offers->n; i++)
		if (!strcmp(offers->offer[i].release, release))
			return &offers->offer[i];
	return NULL;
}

/* " linux-image-X | 6.12.117-1 | http://mirror/debian trixie/main amd64 Packages" */
static void read_madison(struct offers *offers, const char *text)
{
	char package[120], version[80], suite[40];
	struct offer *one;

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		if (sscanf(text, " %119s | %79s | %*s %39[^/]/", package, version,
			   suite) != 3 ||
		    !package_release(package))
			continue;
		one = find(offers, package_release(package));
		if (!one)
			continue;
		snprintf(one->suite, sizeof(one->suite), "%s", suite);
		snprintf(one->version, sizeof(one->version), "%s", version);
	}
}

/* Every package of a kernel ends in its release: their sizes add up. */
static void read_sizes(struct offers *offers, const char *text)
{
	char package[120] = "", value[120];
	struct offer *one;

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		if (sscanf(text, "Package: %119s", value) == 1) {
			strcpy(package, value);
		} else if (sscanf(text, "Size: %119s", value) == 1) {
			const char *release = package_release(package);

			for (size_t i = 1; !release && i < N_PARTS; i++)
				if (!strncmp(package, parts[i], strlen(parts[i])))
					release = package + strlen(parts[i]);
			one = release ? find(offers, release) : NULL;
			if (one)
				one->kb += strtoull(value, NULL, 10) / 1024;
		}
	}
}

int offers_parse(const char *names, const char *madison, const char *show,
		 struct offers *ret)
{
	struct offers offers = {0};
	int err = 0;

	for (const char *p = names; p && *p && !err;
	     p = strchr(p, '\n'), p += p != NULL) {
		size_t len = strcspn(p, "\n");

		if (!strncmp(p, "linux-image-", 12) && isdigit((unsigned char)p[12]) &&
		    ends_with(p, len, FLAVOUR))
			err = add(&offers, names, p + 12, len - 12);
	}
	if (err) {
		offers_release(&offers);
		return err;
	}
	if (offers.n)
		qsort(offers.offer, offers.n, sizeof(*offers.offer), by_release);
	read_madison(&offers, madison);
	read_sizes(&offers, show);
	*ret = offers;
	return 0;
}

void offers_release(struct offers *offers)
{
	free(offers->offer);
	*offers = (struct offers){0};
}

static bool fits(const struct offer *one, const char *name)
{
	const char *release = package_release(name);

	if (!name[0])
		return false;
	if (!strcmp(name, "newest"))
		return !strstr(one->version, "~rc");
	if (release)
		return !strcmp(one->release, release);
	return release_is_of(one->release, name) || !strcmp(one->suite, name);
}

const struct offer *offers_choose(const struct offers *offers, const char *name)
{
	const struct offer *best = NULL;

	for (size_t i = 0; i < offers->n; i++) {
		const struct offer *one = &offers->offer[i];

		if (fits(one, name) && (!best || one->whole >= best->whole))
			best = one;
	}
	return best;
}

/* The packages of which apt is asked: those of the kernels, out of all names that begin with "linux-". */
static size_t pick_words(char *names, const char **words)
{
	char *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(names, "\n", &save); word && n < WORDS_MAX;
	     word = strtok_r(NULL, "\n", &save)) {
		bool wanted = package_release(word) != NULL;

		for (size_t i = 0; i < N_PARTS; i++)
			wanted |= !strncmp(word, parts[i], strlen(parts[i]));
		if (wanted && ends_with(word, strlen(word), FLAVOUR))
			words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

int offers_load(struct offers *ret, char *err)
{
	static const char *const prefix[] = {"linux-", NULL};
	const char *words[WORDS_MAX + 1];
	char *names = NULL, *copy = NULL, *madison = NULL, *show = NULL;
	int bad = apt_cache("pkgnames", prefix, &names);

	copy = bad ? NULL : strdup(names);
	bad = bad || !copy || !pick_words(copy, words);
	bad = bad || apt_cache("madison", words, &madison) ||
	      apt_cache("show", words, &show);
	bad = bad || offers_parse(names, madison, show, ret) < 0;
	free(names);
	free(copy);
	free(madison);
	free(show);
	if (bad)
		snprintf(err, 300,
			 "apt-cache knows no kernels; are its lists damaged? "
			 "'shortfuse kernel update' fetches them anew");
	return bad ? -ENOENT : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Text of unknown origin (reasons, kernel log, names) put into files of a given syntax. Nothing gets through that
 * could end an element, an attribute or a line; bytes that are no UTF-8 or no character of XML become U+FFFD.
 */
#ifndef SF_MARKUP_H
#define SF_MARKUP_H

#include <stdio.h>

/* For XML and HTML, elements and quoted attributes. Line ends and tabs stay. */
void markup_xml(FILE *out, const char *text);

/* A name in a KTAP result line: one line, no "#", which begins a directive there. */
void markup_ktap_name(FILE *out, const char *text);
/* A diagnostic: each line of the text as "# ..." behind the indent. */
void markup_ktap_note(FILE *out, const char *indent, const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/* A line plot over time as inline SVG, in the colours of the page it stands in. */
#ifndef SF_PLOT_H
#define SF_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#define PLOT_SERIES_MAX 4

struct point {
	double x, y; /* x: seconds, not falling */
};

struct series {
	const char *name;
	unsigned int n;
	struct point *points; /* owned */
	bool steps;	      /* a count: it stays until it changes */
	unsigned int colour;  /* 1 .. 4: --s1 .. --s4 of the page, 0: by its place */
};

void series_release(struct series *series);
/* 0 or -ENOMEM. */
int series_add(struct series *series, double x, double y);

/* Nothing is written where no series has a point. end: the right border, in seconds, if it is beyond the points. */
void plot_svg(FILE *out, const char *title, const struct series *series, unsigned int n,
	      double end);

#endif

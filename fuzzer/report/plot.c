/* SPDX-License-Identifier: MIT */
/* Draws plots as SVG: axes with round numbers, up to four lines, a legend. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "fuzzer/util/duration.h"
#include "markup.h"
#include "plot.h"

#define WIDTH	640
#define HEIGHT	240
#define LEFT	58
#define RIGHT	14
#define TOP	14
#define BOTTOM	44
#define DRAWN	600 /* points of a line: more than pixels say nothing */
#define INNER_W (WIDTH - LEFT - RIGHT)
#define INNER_H (HEIGHT - TOP - BOTTOM)

void series_release(struct series *series)
{
	free(series->points);
	series->points = NULL;
	series->n = 0;
}

int series_add(struct series *series, double x, double y)
{
	struct point *more = series->points;

	if (!(series->n & (series->n - 1)))
		more = realloc(more, (series->n ? 2 * series->n : 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	series->points = more;
	series->points[series->n++] = (struct point){x, y};
	return 0;
}

/* 1, 2 or 5 times a power of ten: about "parts" of them make "range". */
static double round_step(double range, unsigned int parts)
{
	double raw = range / parts, power = pow(10, floor(log10(raw))),
	       first = raw / power;

	return power * (first <= 1 ? 1 : first <= 2 ? 2 : first <= 5 ? 5 : 10);
}

static void label_y(FILE *out, double y)
{
	if (y >= 1e6)
		fprintf(out, "%gM", y / 1e6);
	else if (y >= 1e4)
		fprintf(out, "%gk", y / 1e3);
	else
		fprintf(out, "%g", y);
}

static void axes(FILE *out, double end, double top)
{
	double step = round_step(top, 4);
	char span[32];

	for (double y = 0; y <= top * 1.0001; y += step) {
		double at = TOP + INNER_H * (1 - y / top);

		fprintf(out,
			"<path d=\"M%d %.1fH%d\" stroke=\"currentColor\" "
			"opacity=\".15\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			LEFT, at, WIDTH - RIGHT, LEFT - 6, at + 4);
		label_y(out, y);
		fputs("</text>", out);
	}
	for (int i = 0; i <= 4; i++) {
		duration_format((long)(end * i / 4), span);
		fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>",
			LEFT + INNER_W * i / 4.0, HEIGHT - BOTTOM + 16,
			i == 0	 ? "start"
			: i == 4 ? "end"
				 : "middle",
			span);
	}
	fputc('\n', out);
}

static unsigned int colour(const struct series *series, unsigned int index)
{
	return series->colour ? series->colour : index + 1;
}

static void line(FILE *out, const struct series *series, unsigned int index, double end,
		 double top)
{
	unsigned int skip = series->n / DRAWN + 1;

	if (!series->n)
		return;
	/* A line of one point cannot be seen. */
	if (series->n == 1)
		fprintf(out,
			"<circle r=\"3\" fill=\"var(--s%u)\" cx=\"%.1f\" cy=\"%.1f\"/>",
			colour(series, index), LEFT + INNER_W * series->points[0].x / end,
			TOP + INNER_H * (1 - series->points[0].y / top));
	fprintf(out,
		"<path fill=\"none\" stroke=\"var(--s%u)\" stroke-width=\"2\" "
		"stroke-linejoin=\"round\" d=\"",
		colour(series, index));
	for (unsigned int i = 0; i < series->n; i++) {
		double x = LEFT + INNER_W * fmin(series->points[i].x / end, 1);
		double y = TOP + INNER_H * (1 - series->points[i].y / top);

		if (i % skip && i + 1 < series->n)
			continue;
		if (i && series->steps)
			fprintf(out, "H%.1f", x);
		fprintf(out, "%c%.1f %.1f", i ? 'L' : 'M', x, y);
	}
	if (series->steps)
		fprintf(out, "H%d", WIDTH - RIGHT);
	fputs("\"/>\n", out);
}

static void legend(FILE *out, const struct series *series, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int x = LEFT + (int)i * (INNER_W / PLOT_SERIES_MAX);

		fprintf(out,
			"<path d=\"M%d %dh16\" stroke=\"var(--s%u)\" stroke-width=\"3\"/>"
			"<text x=\"%d\" y=\"%d\">",
			x, HEIGHT - 11, colour(&series[i], i), x + 22, HEIGHT - 7);
		markup_xml(out, series[i].name);
		fputs("</text>", out);
	}
	fputc('\n', out);
}

void plot_svg(FILE *out, const char *title, const struct series *series, unsigned int n,
	      double end)
{
	double top = 0;
	unsigned int points = 0;

	n = n < PLOT_SERIES_MAX ? n : PLOT_SERIES_MAX;
	for (unsigned int s = 0; s < n; s++) {
		for (unsigned int i = 0; i < series[s].n; i++) {
			top = fmax(top, series[s].points[i].y);
			end = fmax(end, series[s].points[i].x);
		}
		points += series[s].n;
	}
	if (!points)
		return;
	top = top > 0 ? top : 1;
	top = ceil(top / round_step(top, 4)) * round_step(top, 4);
	end = end > 0 ? end : 1;
	fputs("<figure><figcaption>", out);
	markup_xml(out, title);
	fprintf(out,
		"</figcaption>\n<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"font-size=\"12\" fill=\"currentColor\"><title>",
		WIDTH, HEIGHT);
	markup_xml(out, title);
	fputs("</title>\n", out);
	axes(out, end, top);
	for (unsigned int i = 0; i < n; i++)
		line(out, &series[i], i, end, top);
	legend(out, series, n);
	fputs("</svg></figure>\n", out);
}

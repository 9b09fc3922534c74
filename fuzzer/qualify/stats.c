/* SPDX-License-Identifier: MIT */
/* Exact tests for counts: hypergeometric and binomial tails, summed from logarithms. */

#include <math.h>

#include "stats.h"

/* Of the binomial coefficient; lgamma_r(3): lgamma(3) writes a global. */
static double log_choose(unsigned int n, unsigned int k)
{
	int sign;

	return lgamma_r(n + 1.0, &sign) - lgamma_r(k + 1.0, &sign) -
	       lgamma_r(n - k + 1.0, &sign);
}

double stats_fisher(unsigned int k1, unsigned int n1, unsigned int k2, unsigned int n2)
{
	unsigned int k = k1 + k2, most = k < n1 ? k : n1;
	double all = log_choose(n1 + n2, k), p = 0;

	if (!n1 || !n2 || k1 + n2 <= k)
		return 1;
	for (unsigned int i = k1; i <= most; i++)
		p += exp(log_choose(n1, i) + log_choose(n2, k - i) - all);
	return p < 1 ? p : 1;
}

double stats_binomial(unsigned int k, unsigned int n, double rate)
{
	double p = 0;

	if (k == 0 || rate >= 1)
		return 1;
	if (rate <= 0)
		return 0;
	for (unsigned int i = k; i <= n; i++)
		p += exp(log_choose(n, i) + i * log(rate) + (n - i) * log1p(-rate));
	return p < 1 ? p : 1;
}

double stats_missed(unsigned int n)
{
	return n ? 1 - pow(0.05, 1.0 / n) : 1;
}

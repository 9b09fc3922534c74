/* SPDX-License-Identifier: MIT */
/* The tests behind "differs": exact ones, as the numbers of runs are small. Pure. */
#ifndef SF_STATS_H
#define SF_STATS_H

/*
 * Fisher's exact test, one-sided: the probability of k1 or more of the k1 + k2 events falling on the first of two
 * groups of n1 and n2 runs if both have the same rate. Small: the first has the higher rate. 1 where a group is
 * empty. k <= n.
 */
double stats_fisher(unsigned int k1, unsigned int n1, unsigned int k2, unsigned int n2);

/* Binomial test, one-sided: the probability of k or more events in n runs at this rate. 0 <= rate <= 1. */
double stats_binomial(unsigned int k, unsigned int n, double rate);

/* The highest rate that n runs without an event do not exclude (confidence 95 %): 1 for none. */
double stats_missed(unsigned int n);

#endif

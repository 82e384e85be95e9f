/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fidelity.c - errors of a run against the kernel's end state. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "metrics/fidelity.h"
#include "metrics/frag.h"

const unsigned int fidelity_unusable_orders[FIDELITY_UNUSABLE] = {3, 4, 9};

void fidelity_compare(const struct fidelity_state *kernel, const struct fidelity_state *model,
		      struct fidelity *out)
{
	unsigned int orders = kernel->orders;
	uint64_t kernel_free = metric_free_pages(kernel->blocks, orders);
	uint64_t model_free = metric_free_pages(model->blocks, orders);

	memset(out, 0, sizeof(*out));
	out->orders = orders;
	memcpy(out->kernel, kernel->blocks, orders * sizeof(*out->kernel));
	memcpy(out->model, model->blocks, orders * sizeof(*out->model));
	out->free_pages_known = metric_relative(model_free, kernel_free, &out->free_pages_error);
	out->emd = metric_emd(kernel->blocks, model->blocks, orders);
	for (unsigned int i = 0; i < FIDELITY_UNUSABLE; i++) {
		unsigned int o = fidelity_unusable_orders[i];
		unsigned int k = metric_unusable(kernel->blocks, orders, o);
		unsigned int m = metric_unusable(model->blocks, orders, o);

		out->unusable_error[i] = k > m ? k - m : m - k;
	}
	out->pcp_pages_kernel = kernel->pcp_pages;
	out->pcp_pages_model = model->pcp_pages;
	out->unexplained_pages = (int64_t)(kernel_free + kernel->pcp_pages) -
				 (int64_t)(model_free + model->pcp_pages);
}

static bool wins(double model, double baseline, double noise)
{
	return fabs(model) <= fmax(fabs(baseline), noise);
}

unsigned int fidelity_won(const struct fidelity *model, const struct fidelity *baseline)
{
	unsigned int won = 0;

	won += wins(model->free_pages_error, baseline->free_pages_error, FIDELITY_NOISE_FREE);
	won += wins(model->emd, baseline->emd, FIDELITY_NOISE_EMD);
	for (unsigned int i = 0; i < FIDELITY_UNUSABLE; i++)
		won += wins(model->unusable_error[i], baseline->unusable_error[i],
			    FIDELITY_NOISE_UNUSABLE);
	return won;
}

bool fidelity_close(const uint64_t *kernel, const uint64_t *model, unsigned int orders)
{
	uint64_t k = metric_free_pages(kernel, orders), m = metric_free_pages(model, orders);
	double off = 0;

	if (!metric_relative(m, k, &off))
		return m == k;
	return fabs(off) <= FIDELITY_NOISE_FREE &&
	       metric_emd(kernel, model, orders) <= FIDELITY_NOISE_EMD;
}

bool fidelity_observed_holds(const struct fidelity_input *in)
{
	const struct fidelity *o = in->observed;

	for (unsigned int i = 0; i < FIDELITY_UNUSABLE; i++)
		if (o->unusable_error[i] > FIDELITY_OBSERVED_UNUSABLE)
			return false;
	return fabs(o->free_pages_error) <= FIDELITY_OBSERVED_FREE &&
	       o->emd <= FIDELITY_OBSERVED_EMD &&
	       100.0 * (double)in->close >= FIDELITY_OBSERVED_PERCENT * (double)in->readings;
}

static const char *word(unsigned int won, const struct fidelity_input *in)
{
	if (won == FIDELITY_MEASURES && in->missing <= FIDELITY_MISSING_PERCENT &&
	    fidelity_observed_holds(in))
		return "good";
	return won * 2 >= FIDELITY_MEASURES ? "fair" : "poor";
}

/* Why it is not good whatever the measures say, into @line; else "". */
static void tell_lacks(const struct fidelity_input *in, char *line, size_t size)
{
	int n = 0;

	*line = '\0';
	if (in->missing > FIDELITY_MISSING_PERCENT)
		n = snprintf(line, size, "; %.3g %% of the events are missing, so not good",
			     in->missing);
	if (fidelity_observed_holds(in) || n < 0 || (size_t)n >= size)
		return;
	snprintf(line + n, size - (size_t)n,
		 "; the events' own state is not the kernel's (free pages off by %.2f %%, distance "
		 "%.3f, within the noise in %llu of %llu readings), so not good",
		 100 * in->observed->free_pages_error, in->observed->emd,
		 (unsigned long long)in->close, (unsigned long long)in->readings);
}

void fidelity_grade(const struct fidelity *model, const struct fidelity *baseline,
		    const struct fidelity_input *in, char *line, unsigned int size)
{
	unsigned int last = FIDELITY_UNUSABLE - 1, won = fidelity_won(model, baseline);
	char lacks[260];

	tell_lacks(in, lacks, sizeof(lacks));
	snprintf(line, size,
		 "%s: free pages off by %.2f %% (nothing changed: %.2f %%), distance over orders "
		 "%.3f (%.3f), unusable index at order 9 off by %u (%u) of 1000; as good as or "
		 "better than 'nothing changed' in %u of %u measures (noise of %.1f %%, %.2f and "
		 "%.0f of 1000 forgiven)%s",
		 word(won, in), 100 * model->free_pages_error, 100 * baseline->free_pages_error,
		 model->emd, baseline->emd, model->unusable_error[last],
		 baseline->unusable_error[last], won, FIDELITY_MEASURES, 100 * FIDELITY_NOISE_FREE,
		 FIDELITY_NOISE_EMD, FIDELITY_NOISE_UNUSABLE, lacks);
}

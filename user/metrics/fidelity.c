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

/* Below these two readings of an idle kernel differ. */
#define NOISE_FREE     0.002
#define NOISE_EMD      0.01
#define NOISE_UNUSABLE 2.0

static bool wins(double model, double baseline, double noise)
{
	return fabs(model) <= fmax(fabs(baseline), noise);
}

unsigned int fidelity_grade(const struct fidelity *model, const struct fidelity *baseline,
			    char *line, unsigned int size)
{
	unsigned int won = 0, measures = 2 + FIDELITY_UNUSABLE;

	won += wins(model->free_pages_error, baseline->free_pages_error, NOISE_FREE);
	won += wins(model->emd, baseline->emd, NOISE_EMD);
	for (unsigned int i = 0; i < FIDELITY_UNUSABLE; i++)
		won += wins(model->unusable_error[i], baseline->unusable_error[i], NOISE_UNUSABLE);
	snprintf(line, size,
		 "%s: free pages off by %.2f %% (nothing changed: %.2f %%), distance over orders "
		 "%.3f (%.3f), unusable index at order 9 off by %u (%u) of 1000; as good as or "
		 "better than 'nothing changed' in %u of %u measures",
		 won == measures       ? "good"
		 : won * 2 >= measures ? "fair"
				       : "poor",
		 100 * model->free_pages_error, 100 * baseline->free_pages_error, model->emd,
		 baseline->emd, model->unusable_error[FIDELITY_UNUSABLE - 1],
		 baseline->unusable_error[FIDELITY_UNUSABLE - 1], won, measures);
	return won;
}

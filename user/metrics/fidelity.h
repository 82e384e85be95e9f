/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fidelity.h - how far a run ended from what the kernel ended with.
 */
#ifndef KMEMLAB_FIDELITY_H
#define KMEMLAB_FIDELITY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FIDELITY_ORDERS = 16,
	FIDELITY_UNUSABLE = 3, /* indices at these orders */
};

extern const unsigned int fidelity_unusable_orders[FIDELITY_UNUSABLE]; /* 3, 4, 9 */

/* The state of free memory, all zones together. */
struct fidelity_state {
	uint64_t blocks[FIDELITY_ORDERS]; /* free, by order */
	unsigned int orders;
	uint64_t pcp_pages;
};

struct fidelity {
	double free_pages_error; /* relative, signed */
	bool free_pages_known;	 /* false: the kernel has nothing free */
	uint64_t kernel[FIDELITY_ORDERS], model[FIDELITY_ORDERS];
	unsigned int orders;
	double emd;
	unsigned int unusable_error[FIDELITY_UNUSABLE];
	uint64_t pcp_pages_kernel, pcp_pages_model;
	int64_t unexplained_pages; /* kernel's free and per-CPU pages, less the model's */
};

/** fidelity_compare() - @model against @kernel */
void fidelity_compare(const struct fidelity_state *kernel, const struct fidelity_state *model,
		      struct fidelity *out);

/* By so much two readings of an idle kernel differ. */
#define FIDELITY_NOISE_FREE	0.002 /* relative */
#define FIDELITY_NOISE_EMD	0.01
#define FIDELITY_NOISE_UNUSABLE 2.0 /* of 1000 */
/* With more of the events missing a grade is never "good". */
#define FIDELITY_MISSING_PERCENT 1.0

/* The state kept from the events is the kernel's if it ends no further off than
 * this, and was within the noise of so many of the timed readings of buddyinfo. */
#define FIDELITY_OBSERVED_FREE	   0.01 /* relative */
#define FIDELITY_OBSERVED_EMD	   0.05
#define FIDELITY_OBSERVED_UNUSABLE 20.0 /* of 1000 */
#define FIDELITY_OBSERVED_PERCENT  50.0 /* of the readings */

/* What a grade rests on: how much of the kernel's doing the trace shows. */
struct fidelity_input {
	double missing;			 /* percent of the kernel's events not in the trace */
	const struct fidelity *observed; /* the events' own state against the kernel */
	uint64_t readings, close;	 /* of buddyinfo, and of them within the noise of it */
};

/** fidelity_close() - are free pages and their distance over orders no further
 *  off than two readings of an idle kernel? */
bool fidelity_close(const uint64_t *kernel, const uint64_t *model, unsigned int orders);

/** fidelity_observed_holds() - is the events' own state the kernel's? */
bool fidelity_observed_holds(const struct fidelity_input *in);

enum { FIDELITY_MEASURES = 2 + FIDELITY_UNUSABLE };

/**
 * fidelity_won() - of FIDELITY_MEASURES (free pages, distance, unusable
 * indices), how many @model wins: it is no further off than @baseline, or off by
 * no more than the noise
 */
unsigned int fidelity_won(const struct fidelity *model, const struct fidelity *baseline);

/**
 * fidelity_grade() - one line on whether @model beats @baseline
 * @in: what both rest on: never "good" where that does not hold
 * @size: of @line
 */
void fidelity_grade(const struct fidelity *model, const struct fidelity *baseline,
		    const struct fidelity_input *in, char *line, unsigned int size);

#endif

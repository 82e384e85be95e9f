/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* percpu_stats, as a 6.18 kernel prints it. */
#include "../support/test.h"

#include <errno.h>
#include <stdio.h>

#include "common/procfs_percpu.h"

static void test_procfs_percpu_618_reads_all_chunks(void **state)
{
	static char text[1 << 14];
	FILE *f = fopen("tests/data/percpu_stats-6.18.txt", "r");
	struct proc_percpu p;
	uint64_t areas = 0;

	(void)state;
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_int_equal(proc_percpu_parse(text, &p), 0);
	assert_int_equal(p.unit_bytes, 1048576);
	assert_int_equal(p.n, p.nr_chunks);
	assert_int_equal(p.n, 3);
	assert_true(p.chunks[0].first && !p.chunks[1].first && !p.chunks[0].reserved);
	assert_int_equal(p.chunks[0].areas, 522);
	assert_int_equal(p.chunks[0].free_bytes, 16);
	assert_int_equal(p.chunks[0].max_bytes, 4096);
	assert_int_equal(p.chunks[2].areas, 790);
	assert_int_equal(p.chunks[2].med_bytes, 8);
	assert_int_equal(p.chunks[2].contig_bytes, 889840);
	assert_int_equal(proc_percpu_used(&p, &p.chunks[0]), p.dyn_bytes - 16);
	assert_int_equal(proc_percpu_used(&p, &p.chunks[1]), 1048576 - 1048032);
	for (size_t i = 0; i < p.n; i++)
		areas += p.chunks[i].areas;
	assert_int_equal(areas, p.areas);
	proc_percpu_free(&p);
}

static void test_procfs_percpu_without_a_chunk_is_invalid(void **state)
{
	struct proc_percpu p;

	(void)state;
	assert_int_equal(proc_percpu_parse("", &p), -EINVAL);
	assert_int_equal(proc_percpu_parse("  unit_size  :  1048576\n", &p), -EINVAL);
	assert_int_equal(proc_percpu_parse("Chunk:\n  nr_alloc : 3\n", &p), -EINVAL);
	assert_int_equal(proc_percpu_parse("  unit_size : 4096\nChunk: <- Reserved Chunk\n"
					   "  nr_alloc : -3\n  free_bytes : 5000\n",
					   &p),
			 0);
	assert_true(p.chunks[0].reserved);
	assert_int_equal(p.chunks[0].areas, 0);
	assert_int_equal(proc_percpu_used(&p, &p.chunks[0]), 0);
	proc_percpu_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_procfs_percpu_618_reads_all_chunks),
		cmocka_unit_test(test_procfs_percpu_without_a_chunk_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

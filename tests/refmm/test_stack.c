/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel stacks: refmm/stack.c, stack_use.c. */
#include "vm.h"

#include "../../refmm/stack.h"

static struct rmm *boot(const struct rmm_stack_config *c, bool backed, unsigned int cpus)
{
	struct machine m;
	struct rmm *rmm;

	machine_init(&m, 8);
	m.config.nr_cpus = cpus;
	if (backed)
		vm_backed(&m);
	rmm = vm_boot(&m, NULL);
	if (rmm_stack_init(rmm, c))
		fail_msg("%s", rmm_last_error(rmm));
	return rmm;
}

static struct rmm *boot_pages(unsigned int order, bool backed)
{
	const struct rmm_stack_config c = {.kind = RMM_STACK_PAGES, .order = order};

	return boot(&c, backed, 1);
}

static struct rmm_stack_stat stack_stats(const struct rmm *rmm)
{
	struct rmm_stack_stat s;

	rmm_stack_stat(rmm, &s);
	return s;
}

static char *stack_new(struct rmm *rmm, unsigned int cpu)
{
	char *stack = rmm_alloc_thread_stack(rmm, cpu, -1);

	if (!stack)
		fail_msg("%s", rmm_last_error(rmm));
	return stack;
}

static void test_stack_is_16_kib_aligned_with_a_guard(void **state)
{
	struct rmm *rmm = boot(NULL, false, 1);
	struct rmm_vm_area area;
	char *other = stack_new(rmm, 0), *stack = stack_new(rmm, 0);

	(void)state;
	assert_int_equal(rmm_stack_bytes(rmm), 16384);
	assert_ptr_equal(stack, other + 32768); /* so it is with the guard */
	assert_int_equal((uintptr_t)stack % 16384, 0);
	assert_int_equal(rmm_find_vm_area(rmm, stack, &area), 0);
	assert_int_equal(area.size, 20480); /* as in /proc/vmallocinfo */
	assert_int_equal(area.nr_pages, 4);
	assert_int_equal(rmm_free_thread_stack(rmm, 0, stack), 0);
	check_destroy(rmm);
}

static void test_stack_cache_holds_two_a_cpu(void **state)
{
	struct rmm *rmm = boot(NULL, false, 2);
	char *stack[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		stack[i] = stack_new(rmm, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rmm_free_thread_stack(rmm, 0, stack[i]), 0);
	assert_int_equal(stack_stats(rmm).cached, 2);
	assert_int_equal(rmm_free_thread_stack(rmm, 1, stack[3]), 0);
	assert_int_equal(stack_stats(rmm).cached, 3);
	assert_int_equal(vm_stats(rmm).nr_pages, 12); /* one was freed */
	check(rmm);
	assert_ptr_equal(stack_new(rmm, 1), stack[3]);
	assert_ptr_equal(stack_new(rmm, 0), stack[0]);
	assert_ptr_equal(stack_new(rmm, 0), stack[1]);
	assert_int_equal(stack_stats(rmm).cache_hit, 3);
	assert_int_equal(stack_stats(rmm).cache_put, 3);
	stack_new(rmm, 0);
	assert_int_equal(stack_stats(rmm).cache_hit, 3);
	assert_int_equal(stack_stats(rmm).live, 4);
	check_destroy(rmm);
}

static void test_stack_offline_cpu_loses_its_cache(void **state)
{
	struct rmm *rmm = boot(NULL, false, 2);
	uint64_t before = rmm_nr_free_pages(rmm);
	char *a = stack_new(rmm, 0), *b = stack_new(rmm, 0);

	(void)state;
	rmm_free_thread_stack(rmm, 0, a);
	rmm_free_thread_stack(rmm, 1, b);
	rmm_free_vm_stack_cache(rmm, 0);
	assert_int_equal(stack_stats(rmm).cached, 1);
	rmm_free_vm_stack_cache(rmm, 1);
	assert_int_equal(free_pages(rmm), before);
	check_destroy(rmm);
}

static void test_stack_wrong_frees_are_refused(void **state)
{
	struct rmm *rmm = boot(NULL, true, 1);
	char *a = stack_new(rmm, 0);

	(void)state;
	assert_int_equal(rmm_free_thread_stack(rmm, 0, a + 8), -EINVAL);
	says(rmm, "is no kernel stack");
	assert_int_equal(rmm_free_thread_stack(rmm, 1, a), -EINVAL);
	assert_int_equal(rmm_free_thread_stack(rmm, 0, a), 0);
	assert_int_equal(rmm_free_thread_stack(rmm, 0, a), -EINVAL);
	assert_int_equal(rmm_stack_usage(rmm, a), -EINVAL);
	rmm_preempt_disable(rmm, 0);
	assert_null(rmm_alloc_thread_stack(rmm, 0, -1));
	says(rmm, "atomic context");
	rmm_preempt_enable(rmm, 0);
	assert_null(rmm_alloc_thread_stack(rmm, 7, -1));
	check_destroy(rmm);
}

/* LKD3's one page, two pages, and today's four, as neighbours */
static void test_stack_of_contiguous_pages(void **state)
{
	(void)state;
	for (unsigned int order = 0; order < 3; order++) {
		struct rmm *rmm = boot_pages(order, false);
		uint64_t before = free_pages(rmm);
		char *a = stack_new(rmm, 0);
		struct rmm_page *page = rmm_virt_to_page(rmm, (uintptr_t)a);

		assert_int_equal(rmm_stack_bytes(rmm), PAGE << order);
		assert_int_equal(page->order, order);
		assert_int_equal(free_pages(rmm), before - (1u << order));
		assert_int_equal(rmm_free_thread_stack(rmm, 0, a), 0);
		assert_int_equal(stack_stats(rmm).cached, 0);
		assert_int_equal(free_pages(rmm), before);
		check_destroy(rmm);
	}
}

/* What LKD3 warns of: pages enough, but no two are neighbours */
static void test_stack_fragmentation_hits_only_contiguous_ones(void **state)
{
	const struct rmm_stack_config pages = {.kind = RMM_STACK_PAGES, .order = 1};

	(void)state;
	for (int vmap = 0; vmap < 2; vmap++) {
		struct rmm *rmm = boot(vmap ? NULL : &pages, false, 1);
		rmm_pfn pfn, last = RMM_NO_PFN;

		for (; (pfn = get(rmm, RMM_GFP_KERNEL | RMM_GFP_MEMALLOC, 0)) != RMM_NO_PFN;)
			last = pfn;
		assert_int_not_equal(last, RMM_NO_PFN);
		for (pfn = 0; pfn < 8 * BLOCK; pfn += 2)
			put(rmm, pfn, 0);
		if (vmap) {
			stack_new(rmm, 0);
		} else {
			assert_null(rmm_alloc_thread_stack(rmm, 0, -1));
			says(rmm, "no block of that order");
		}
		check_destroy(rmm);
	}
}

static void test_stack_high_water_mark_is_measured(void **state)
{
	static const size_t used[] = {8, 100, 4000, 4096, 9000, 16376};
	struct rmm *rmm = boot(NULL, true, 1);
	char *a = stack_new(rmm, 0);

	(void)state;
	assert_int_equal(rmm_stack_usage(rmm, a), 0);
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++) {
		memset(a + 16384 - used[i], 0xee, used[i]);
		assert_int_equal(rmm_stack_usage(rmm, a), (used[i] + 7) / 8 * 8);
	}
	/* The next owner begins with zeros, and finds nothing of this one's. */
	assert_int_equal(rmm_free_thread_stack(rmm, 0, a), 0);
	assert_ptr_equal(stack_new(rmm, 0), a);
	assert_int_equal(rmm_stack_usage(rmm, a), 0);
	check_destroy(rmm);
}

static void test_stack_without_memory_has_no_usage(void **state)
{
	struct rmm *rmm = boot(NULL, false, 1);
	char *a = stack_new(rmm, 0);

	(void)state;
	assert_int_equal(rmm_stack_usage(rmm, a), -EOPNOTSUPP);
	says(rmm, "set backed");
	assert_int_equal(rmm_stack_check(rmm, a), 0);
	check_destroy(rmm);
}

/* Contiguous pages: the overflow goes unseen until the word is looked at */
static void test_stack_magic_tells_overflow_of_contiguous_pages(void **state)
{
	struct rmm *rmm = boot_pages(1, true);
	char *a = stack_new(rmm, 0);

	(void)state;
	assert_int_equal(rmm_stack_check(rmm, a), 0);
	memset(a, 0x11, 8192); /* all of it, and one word too many */
	assert_int_equal(rmm_stack_usage(rmm, a), 8192);
	assert_int_equal(rmm_stack_check(rmm, a), -EUCLEAN);
	says(rmm, "corrupted stack end detected");
	says(rmm, "0x1111111111111111 there, not 0x57ac6e9d");
	assert_int_equal(rmm_free_thread_stack(rmm, 0, a), -EUCLEAN);
	assert_int_equal(rmm_stack_overflow(rmm, a - 1, NULL, 0), 0);
	check_destroy(rmm);
}

/* ---- Overflow of a vmalloc'd stack: it faults, in a child --------------- */

static struct {
	struct rmm *rmm;
	int out;
} fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	char msg[256] = "not a stack";

	(void)signal, (void)context;
	rmm_stack_overflow(fault.rmm, info->si_addr, msg, sizeof(msg));
	_exit(write(fault.out, msg, strlen(msg)) < 0);
}

/* Use a stack downwards from its top, as recursion does, @bytes far */
static void use_stack(char *stack, size_t bytes)
{
	volatile char *top = stack + 16384;

	for (size_t i = 1; i <= bytes; i++)
		top[-(ptrdiff_t)i] = (char)i;
}

/* What a child says that uses @bytes of @stack; "" if nothing happens */
static const char *child_says(char *stack, size_t bytes)
{
	const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	static char text[256];
	int out[2], status;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(out), 0);
	child = fork();
	if (child == 0) {
		fault.out = out[1];
		sigaction(SIGSEGV, &action, NULL);
		use_stack(stack, bytes);
		_exit(0);
	}
	close(out[1]);
	n = read(out[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return text;
}

static void test_stack_overflow_faults_and_is_told_in_words(void **state)
{
	char expected[128], *a, *b;
	const char *text;

	(void)state;
	fault.rmm = boot(NULL, true, 1);
	a = stack_new(fault.rmm, 0);
	b = stack_new(fault.rmm, 0);
	assert_string_equal(child_says(b, 16384), ""); /* to the last byte */
	text = child_says(b, 16385);
	snprintf(expected, sizeof(expected), "1 bytes below the end of stack %p-%p", (void *)b,
		 (void *)(b + 16384));
	if (!strstr(text, "stack guard page was hit at") || !strstr(text, expected))
		fail_msg("'%s', not '%s'", text, expected);
	assert_non_null(strstr(child_says(a, 20000), "1 bytes below"));
	/* Not below a stack: nothing to say. */
	assert_int_equal(rmm_stack_overflow(fault.rmm, a, NULL, 0), 0);
	assert_int_equal(rmm_stack_overflow(fault.rmm, b - PAGE, NULL, 0), PAGE);
	assert_int_equal(rmm_stack_overflow(fault.rmm, b - PAGE - 1, NULL, 0), 0);
	check_destroy(fault.rmm);
}

static void test_stack_failing_steps_leave_nothing(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth < 12; nth++) {
		struct rmm *rmm = boot(NULL, true, 1);
		uint64_t before = rmm_nr_free_pages(rmm);
		const struct rmm_fault f = {.points = RMM_FAULT_VMALLOC | RMM_FAULT_ALLOC,
					    .nth = nth};
		void *stack;

		rmm_set_fault(rmm, &f);
		stack = rmm_alloc_thread_stack(rmm, 0, -1);
		rmm_set_fault(rmm, NULL);
		if (!stack)
			assert_int_equal(free_pages(rmm), before);
		assert_int_equal(stack_stats(rmm).failed, !stack);
		assert_int_equal(stack_stats(rmm).live, !!stack);
		check_destroy(rmm);
	}
}

static void test_stack_setup_is_checked(void **state)
{
	struct rmm *rmm = machine(1, false);
	struct rmm_stack_config c;

	(void)state;
	assert_null(rmm_alloc_thread_stack(rmm, 0, -1));
	says(rmm, "call rmm_stack_init first");
	assert_int_equal(rmm_stack_init(rmm, NULL), -EINVAL);
	says(rmm, "need rmm_vmalloc_init");
	rmm_stack_config_init(&c);
	c.order = 11;
	assert_int_equal(rmm_stack_init(rmm, &c), -EINVAL);
	c.order = 0;
	c.kind = RMM_STACK_PAGES;
	assert_int_equal(rmm_stack_init(rmm, &c), 0);
	assert_int_equal(rmm_stack_init(rmm, &c), -EBUSY);
	check_destroy(rmm);
}

/* A cached stack that somebody else freed, or that is in use as well */
static void test_stack_validate_notices_a_wrong_cache(void **state)
{
	struct rmm *rmm = boot(NULL, false, 1);
	char *a = stack_new(rmm, 0), *b = stack_new(rmm, 0), msg[256];
	struct rmm_stack_cache *cache = rmm_stacks_of(rmm)->cache;
	struct rmm_stack *kept;

	(void)state;
	rmm_free_thread_stack(rmm, 0, a);
	kept = cache->stack[0];
	cache->stack[0] = rmm_find_stack(rmm, (uintptr_t)b);
	assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
	assert_non_null(strstr(msg, "is cached, but in use"));
	cache->stack[0] = kept;
	vm_free(rmm, a);
	assert_int_equal(rmm_validate(rmm, msg, sizeof(msg)), -EUCLEAN);
	rmm_destroy(rmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stack_is_16_kib_aligned_with_a_guard),
		cmocka_unit_test(test_stack_cache_holds_two_a_cpu),
		cmocka_unit_test(test_stack_offline_cpu_loses_its_cache),
		cmocka_unit_test(test_stack_wrong_frees_are_refused),
		cmocka_unit_test(test_stack_of_contiguous_pages),
		cmocka_unit_test(test_stack_fragmentation_hits_only_contiguous_ones),
		cmocka_unit_test(test_stack_high_water_mark_is_measured),
		cmocka_unit_test(test_stack_without_memory_has_no_usage),
		cmocka_unit_test(test_stack_magic_tells_overflow_of_contiguous_pages),
		cmocka_unit_test(test_stack_overflow_faults_and_is_told_in_words),
		cmocka_unit_test(test_stack_failing_steps_leave_nothing),
		cmocka_unit_test(test_stack_setup_is_checked),
		cmocka_unit_test(test_stack_validate_notices_a_wrong_cache),
	};

	return RUN(tests);
}

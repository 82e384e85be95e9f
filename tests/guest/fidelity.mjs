// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// fidelity.mjs LAB OUT - the matrix's results as OUT/fidelity.json, and as tables
// in OUT/fidelity.md between its two marks; the text around them stays.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BEGIN = '<!-- made by tests/guest/fidelity.mjs: begin -->';
const END = '<!-- made by tests/guest/fidelity.mjs: end -->';

// What is measured of each run: `of` a result, the most that is aimed at, a title, and how
// it is printed.
const percent = (v) => `${(100 * v).toFixed(2)} %`;
const thousandth = (v) => v.toFixed(3);
const measures = [
	{ key: 'free_error', title: 'free pages', aim: 0.01, show: percent },
	{ key: 'free_error_time', title: 'over time', aim: 0.01, show: percent },
	{ key: 'order_error', title: 'blocks per order, median', aim: 0.1, show: percent },
	{ key: 'emd_ratio', title: 'distance / baseline\'s', aim: 1 / 3, show: thousandth },
	{ key: 'emd_ratio_time', title: 'over time', aim: 1 / 3, show: thousandth },
	{ key: 'unusable_error', title: 'unusable index, worst order', aim: 0.03, show: thousandth },
	{ key: 'fallback_error', title: 'fallbacks', aim: 0.15, show: percent },
	{ key: 'refill_error', title: 'PCP refills', aim: 0.05, show: percent },
	{ key: 'drain_error', title: 'PCP drains', aim: 0.05, show: percent },
	{ key: 'slab_error', title: 'slabs per cache, median', aim: 0.05, show: percent },
	{ key: 'unexplained_frees', title: 'unexplained frees', aim: 0.001, show: percent },
];

const sum = (list) => list.reduce((a, b) => a + b, 0);
const known = (list) => list.filter((v) => v !== null && Number.isFinite(v));

function median(list) {
	const sorted = known(list).sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	if (!sorted.length)
		return null;
	return sorted.length & 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Of two counts: the difference, against the kernel's. Too few to tell: no number.
const FEW = 50;
function relative(model, kernel, few = FEW) {
	return kernel < few ? null : Math.abs(model - kernel) / kernel;
}

function unusable(blocks, order) {
	const free = sum(blocks.map((n, o) => n * 2 ** o));
	return free ? (free - sum(blocks.map((n, o) => o >= order ? n * 2 ** o : 0))) / free : 0;
}

function worstUnusable(orders) {
	const kernel = orders.map((o) => o.kernel);
	const model = orders.map((o) => o.model);
	return Math.max(...kernel.map((_, o) => Math.abs(unusable(model, o) - unusable(kernel, o))));
}

// Pages by order at sample i, over all zones.
const pagesAt = (run, i) => run.free_blocks[0].map((_, o) =>
	sum(run.free_blocks.map((zone) => zone[o][i] * 2 ** o)));

function distance(a, b) {
	const [all, other] = [sum(a), sum(b)];
	let below = 0, moved = 0;
	if (!all || !other)
		return 0;
	for (let o = 0; o < a.length; o++) {
		below += a[o] / all - b[o] / other;
		moved += Math.abs(below);
	}
	return moved;
}

// Means over the samples, against what the kernel's own placement gives.
function overTime(result, observed, reference) {
	const n = result.time_ns.length;
	const mean = (f) => sum([...Array(n).keys()].map(f)) / n;
	const start = pagesAt(observed, 0);
	const model = mean((i) => distance(pagesAt(reference, i), pagesAt(observed, i)));
	const still = mean((i) => distance(start, pagesAt(observed, i)));
	return {
		free_error_time: mean((i) => Math.abs(reference.free_pages[i] -
			observed.free_pages[i]) / observed.free_pages[i]),
		emd_time: model,
		emd_time_baseline: still,
		emd_ratio_time: still > 0 ? model / still : null,
	};
}

// What each rule of the reference is worth: the result with that rule changed.
function ablations(result, observed) {
	const runs = result.runs.filter((r) => !['observed', 'reference'].includes(r.name));
	return Object.fromEntries(runs.map((r) => {
		const fit = result.fidelity.runs.find((f) => f.name === r.name);
		return [r.name, {
			free_error: Math.abs(fit.free_pages_error),
			emd: fit.emd,
			refill_error: relative(r.counts.pcp_refill_pages, observed.counts.pcp_refill_pages),
			unusable_error: worstUnusable(fit.orders),
		}];
	}));
}

const fallbacks = (counts) => sum(['fallback_claim', 'fallback_steal', 'fallback_pollute']
	.map((k) => counts[k] ?? 0));

// Frees of pages that the replay did not know as allocated.
function unexplainedFrees(observed) {
	const pages = sum(Object.entries(observed.unmatched)
		.filter(([kind]) => kind.startsWith('page_free_of_')).map(([, n]) => n));
	return observed.counts.free ? pages / observed.counts.free : null;
}

// Caches that have so many slabs at the end; those of fewer differ by whole percents each.
const SLABS = 100;
function slabs(result) {
	const large = result.slabs.filter((s) => s.slabs_end >= SLABS && s.reference?.as_slabinfo);
	const errors = large.map((s) => Math.abs(s.reference.slabs_error));
	return {
		slab_caches: large.length,
		slab_error: median(errors),
		slab_error_worst: errors.length ? Math.max(...errors) : null,
		slab_error_baseline: median(large.map((s) => Math.abs(s.slabs_start / s.slabs_end - 1))),
	};
}

// Where requests were served, and how long the kernel took, by function and order or size.
const times = (rows) => (rows ?? []).map(({ what, path, order, bytes, calls, kept, p50_ns, p99_ns,
	p999_ns }) => ({ what, path, order, bytes, calls, kept, p50_ns, p99_ns, p999_ns }));
const paths = (counts) => [counts.pcp_hit, counts.pcp_refill, counts.buddy_alloc];
function latency(result, observed, reference) {
	return {
		paths_kernel: paths(observed.counts),
		paths_reference: paths(reference.counts),
		reference_ns: reference.speed ? reference.speed.ns / reference.speed.events : null,
		rows: times(result.latency?.rows),
		reference_rows: times(reference.latency?.rows),
		by_path: times(result.latency?.paths),
		reference_by_path: times(reference.latency?.paths),
	};
}

function measure(result) {
	const run = (name) => result.runs.find((r) => r.name === name);
	const fit = (name) => result.fidelity.runs.find((r) => r.name === name);
	const observed = run('observed');
	const reference = run('reference');
	const model = fit('reference');
	const cover = result.trust.coverage ?? {};
	/* Each tells an event, also where a part of the pageblock was moved (6.1). */
	const wanted = sum(result.fallbacks.map((f) => f.events));
	return {
		events: observed.counts.alloc + observed.counts.free,
		seconds: result.trace.duration_ns / 1e9,
		coverage_alloc: cover.pages_alloc_seen / cover.pages_alloc_vmstat,
		coverage_free: cover.pages_free_seen / cover.pages_free_vmstat,
		lost: result.trust.accounting.lost_ring + result.trust.accounting.lost_recursion,
		witness_exact: result.trust.witness.exact,
		witness_readings: result.trust.witness.readings,
		observed_emd: fit('observed').emd,
		pages_unaccounted: model.unexplained_pages,
		free_error: Math.abs(model.free_pages_error),
		free_error_baseline: Math.abs(fit('baseline').free_pages_error),
		order_error: median(model.orders.map((o) => o.rel === null ? null : Math.abs(o.rel))),
		order_error_baseline: median(fit('baseline').orders
			.map((o) => o.rel === null ? null : Math.abs(o.rel))),
		emd: model.emd,
		emd_baseline: fit('baseline').emd,
		emd_ratio: fit('baseline').emd > 0 ? model.emd / fit('baseline').emd : null,
		unusable_error: worstUnusable(model.orders),
		unusable_error_baseline: worstUnusable(fit('baseline').orders),
		fallbacks_kernel: wanted,
		fallbacks_reference: fallbacks(reference.counts),
		fallback_error: relative(fallbacks(reference.counts), wanted, 5),
		refill_kernel: observed.counts.pcp_refill_pages,
		refill_reference: reference.counts.pcp_refill_pages,
		refill_error: relative(reference.counts.pcp_refill_pages,
			observed.counts.pcp_refill_pages),
		drain_kernel: observed.counts.pcp_drain_pages,
		drain_reference: reference.counts.pcp_drain_pages,
		drain_error: relative(reference.counts.pcp_drain_pages, observed.counts.pcp_drain_pages),
		...overTime(result, observed, reference),
		ablations: ablations(result, observed),
		...slabs(result),
		latency: latency(result, observed, reference),
		failed: reference.unmatched.alloc_failed ?? 0,
		unexplained_frees: unexplainedFrees(observed),
	};
}

function directories(path) {
	return existsSync(path) ? readdirSync(path, { withFileTypes: true })
		.filter((e) => e.isDirectory()).map((e) => e.name).sort() : [];
}

function readRow(path) {
	const row = { runs: [] };
	for (const n of directories(path)) {
		const file = join(path, n, 'result.json');
		if (!existsSync(file) || !existsSync(join(path, n, 'trace.kmt')))
			continue;
		const result = JSON.parse(readFileSync(file, 'utf8'));
		row.release = result.host.release;
		row.cpus = result.host.cpus_online;
		row.memory_mib = Math.round(result.host.mem_total_kb / 1024);
		row.command = readFileSync(join(path, n, 'command'), 'utf8').trim();
		if (result.fidelity)
			row.runs.push(measure(result));
	}
	return row;
}

function readLab(lab) {
	const rows = [];
	for (const kernel of directories(lab))
		for (const workload of directories(join(lab, kernel))) {
			const row = readRow(join(lab, kernel, workload));
			if (row.runs.length)
				rows.push({ kernel, workload, ...row });
		}
	for (const row of rows) {
		row.median = {};
		row.spread = {};
		for (const key of Object.keys(row.runs[0])) {
			if (key === 'ablations' || key === 'latency')
				continue;
			const values = known(row.runs.map((r) => r[key]));
			row.median[key] = median(values);
			row.spread[key] = values.length ? [Math.min(...values), Math.max(...values)] : null;
		}
	}
	return rows;
}

function summarize(rows) {
	return [...new Set(rows.map((r) => r.kernel))].map((kernel) => {
		const mine = rows.filter((r) => r.kernel === kernel);
		const numbers = {};
		for (const { key, aim } of measures) {
			const value = median(mine.map((r) => r.median[key]));
			numbers[key] = { value, aim, holds: value === null ? null : value <= aim };
		}
		return { kernel, release: mine[0].release, rows: mine.length, numbers };
	});
}

const table = (head, body) => [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`,
	...body.map((line) => `| ${line.join(' | ')} |`), ''];

function cell(row, { key, aim, show }) {
	const value = row.median[key];
	if (value === null)
		return '-';
	const [low, high] = row.spread[key];
	const text = low === high ? show(value) : `${show(value)} (${show(low)} .. ${show(high)})`;
	return value <= aim ? text : `**${text}**`;
}

const ofKernel = (s) => s.kernel === 'host' ? `${s.release}, host` : s.release;

function summaryTable(summary) {
	const mark = ({ value, holds }, show) =>
		value === null ? '-' : holds ? show(value) : `**${show(value)}**`;
	return ['### Median over the workloads', '', 'Bold: not within what is aimed at.', '',
		...table(['measure', 'aim', ...summary.map(ofKernel)], measures.map((m) =>
			[m.title, `<= ${m.show(m.aim)}`, ...summary.map((s) => mark(s.numbers[m.key], m.show))]))];
}

function kernelTables(rows, { kernel, ...s }) {
	const mine = rows.filter((r) => r.kernel === kernel);
	const pair = (r, a, b) => `${r.median[a]} / ${r.median[b]}`;
	return [`### Linux ${ofKernel({ kernel, ...s })}`, '',
		'Median of the runs, and their range. Baseline: nothing changed since the start.', '',
		...table(['workload', 'CPUs, MiB, runs', ...measures.map((m) => m.title)],
			mine.map((r) => [r.workload, `${r.cpus}, ${r.memory_mib}, ${r.runs.length}`,
				...measures.map((m) => cell(r, m))])),
		'Counts, kernel / reference, pages for refills and drains; errors of the baseline:', '',
		...table(['workload', 'page events', 'seen: allocated, freed', 'buddyinfo equal',
			'fallbacks', 'refills', 'drains', 'refused', `caches of ${SLABS} slabs`,
			'baseline: free', 'per order', 'distance', 'unusable', 'slabs'], mine.map((r) => [r.workload, r.median.events,
			`${percent(r.median.coverage_alloc)}, ${percent(r.median.coverage_free)}`,
			`${r.median.witness_exact} of ${r.median.witness_readings}`,
			pair(r, 'fallbacks_kernel', 'fallbacks_reference'),
			pair(r, 'refill_kernel', 'refill_reference'),
			pair(r, 'drain_kernel', 'drain_reference'), r.median.failed,
			r.median.slab_caches, percent(r.median.free_error_baseline), percent(r.median.order_error_baseline ?? 0),
			thousandth(r.median.emd_baseline), thousandth(r.median.unusable_error_baseline),
			r.median.slab_error_baseline === null ? '-' : percent(r.median.slab_error_baseline)]))];
}

const us = (ns) => (ns / 1000).toFixed(ns < 100000 ? 1 : 0);
function spread(values, show) {
	const all = known(values);
	if (!all.length)
		return '-';
	const [low, middle, high] = [Math.min(...all), median(all), Math.max(...all)].map(show);
	return low === high ? middle : `${middle} (${low} .. ${high})`;
}

// Order 0 in each workload: nearly all requests
function workloadLatency(rows) {
	const single = (run) => run.latency.rows.find((l) => l.what === 'pages' && l.order === 0);
	const sums = (r, key) => [0, 1, 2].map((i) => median(r.runs.map((run) => run.latency[key][i])));
	return table(['workload', 'timed', 'kernel: median', '99 %', '99.9 %', 'kernel: hit', 'refill',
		'buddy lists', 'reference: hit', 'refill', 'buddy lists', 'ns a page event'],
	rows.map((r) => [r.workload, median(r.runs.map((run) => single(run)?.calls)) ?? '-',
		...['p50_ns', 'p99_ns', 'p999_ns'].map((key) =>
			spread(r.runs.map((run) => single(run)?.[key] ?? null), us)),
		...sums(r, 'paths_kernel'), ...sums(r, 'paths_reference'),
		spread(r.runs.map((run) => run.latency.reference_ns), (ns) => ns.toFixed(0))]));
}

const whole = (ns) => ns.toFixed(0);
const quantiles = (list, show) => ['p50_ns', 'p99_ns', 'p999_ns']
	.map((key) => spread(list.map((l) => l[key]), show));

const LEAST_CALLS = 100;
function functionLatency(rows) {
	const kinds = ['pages', 'kmalloc', 'cache'], size = (l) => l.order ?? l.bytes;
	const all = rows.flatMap((r) => r.runs.flatMap((run) => run.latency.rows))
		.filter((l) => l.calls >= LEAST_CALLS)
		.sort((a, b) => kinds.indexOf(a.what) - kinds.indexOf(b.what) || size(a) - size(b));
	const own = rows.flatMap((r) => r.runs.flatMap((run) => run.latency.reference_rows));
	const name = (l) => l.what === 'pages' ? `pages, order ${l.order}` : `${l.what}, up to ${l.bytes}`;
	return table(['function', 'recordings', 'kernel: calls', 'median', '99 %', '99.9 %',
		'reference: timed', 'median, ns', '99 %, ns'],
	[...new Set(all.map(name))].map((n) => {
		const mine = all.filter((l) => name(l) === n), its = own.filter((l) => name(l) === n);
		return [n, mine.length, sum(mine.map((l) => l.calls)), ...quantiles(mine, us),
			sum(its.map((l) => l.calls)) || '-', ...quantiles(its, whole).slice(0, 2)];
	}));
}

// What served a request, by order. The kernel's calls are estimated by the kept ones.
function pathLatency(rows) {
	const of = (key) => rows.flatMap((r) => r.runs.flatMap((run) => run.latency[key]));
	const kernel = of('by_path'), own = of('reference_by_path');
	const order = ['hit', 'refill', 'buddy', 'slow', 'unclear'], keys = new Map();
	for (const l of kernel)
		keys.set(`${l.order} ${l.path}`, l);
	return table(['order', 'path', 'kernel: calls', 'kept', 'median', '99 %', '99.9 %',
		'reference: timed', 'median, ns', '99 %, ns', '99.9 %, ns'],
	[...keys.values()].sort((a, b) => a.order - b.order ||
		order.indexOf(a.path) - order.indexOf(b.path)).map(({ order: o, path }) => {
		const [mine, its] = [kernel, own].map((list) => list.filter((l) => l.order === o && l.path === path));
		return [o, path, sum(mine.map((l) => l.calls)), sum(mine.map((l) => l.kept)),
			...quantiles(mine, us), sum(its.map((l) => l.calls)) || '-', ...quantiles(its, whole)];
	}));
}

function latencyTables(rows, { kernel, ...s }) {
	const timed = rows.filter((r) => r.kernel === kernel &&
		r.runs.some((run) => run.latency.rows.length));
	if (!timed.length)
		return [`### Latency, Linux ${ofKernel({ kernel, ...s })}`, '',
			'Not timed: no program may attach to functions there.', ''];
	return [`### Latency, Linux ${ofKernel({ kernel, ...s })}`, '',
		'Single pages: median of the runs, and their range; microseconds. Paths: requests.', '',
		...workloadLatency(timed),
		`By function, over all recordings with ${LEAST_CALLS} calls or more:`, '',
		...functionLatency(timed),
		'Pages by path: of the kernel estimated by the calls that were kept, in microseconds; of the ' +
		'reference those timed, in nanoseconds.', '', ...pathLatency(timed)];
}

function ablationTable(rows, summary) {
	const names = [...new Set(rows.flatMap((r) => r.runs.flatMap((run) =>
		Object.keys(run.ablations))))];
	if (!names.length)
		return [];
	const over = (kernel, pick) => median(rows.filter((r) => r.kernel === kernel)
		.map((r) => median(r.runs.map(pick))));
	const line = (name, pick) => [name, ...summary.flatMap(({ kernel }) =>
		[['free_error', percent], ['emd', thousandth], ['refill_error', percent]]
			.map(([key, show]) => {
				const value = over(kernel, (run) => pick(run)?.[key] ?? null);
				return value === null ? '-' : show(value);
			}))];
	return ['### One rule changed at a time', '', 'Medians over the workloads.', '',
		...table(['rule', ...summary.flatMap((s) => [`${ofKernel(s)}: free pages`, 'distance', 'refills'])],
			[line('reference', (run) => run),
				...names.map((name) => line(name, (run) => run.ablations[name]))])];
}

function commands(rows) {
	return ['### How each trace was made', '', '`make lab` does all of it; one by one:', '',
		...[...new Set(rows.map((r) => `- \`${r.command}\``))], ''];
}

const [lab, out] = process.argv.slice(2);
const rows = readLab(lab);
if (!rows.length) {
	console.error(`fidelity: no results in '${lab}'`);
	process.exit(1);
}
const summary = summarize(rows);
const made = [BEGIN, '', ...summaryTable(summary), ...summary.flatMap((s) => kernelTables(rows, s)),
	...ablationTable(rows, summary), ...summary.flatMap((s) => latencyTables(rows, s)),
	...commands(rows), END].join('\n');
const page = join(out, 'fidelity.md');
const old = existsSync(page) ? readFileSync(page, 'utf8') : `# Fidelity\n\n${BEGIN}\n${END}\n`;
writeFileSync(page, old.slice(0, old.indexOf(BEGIN)) + made + old.slice(old.indexOf(END) + END.length));
writeFileSync(join(out, 'fidelity.json'), `${JSON.stringify({ summary, rows }, null, '\t')}\n`);
console.log(`fidelity: ${rows.length} rows in ${page}`);

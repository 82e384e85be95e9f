// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// whatif.mjs LAB OUT - predicted against real changes as OUT/whatif.json, and as
// tables in OUT/whatif.md between its two marks; the text around them stays.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BEGIN = '<!-- made by tests/guest/whatif.mjs: begin -->';
const END = '<!-- made by tests/guest/whatif.mjs: end -->';

const sum = (list) => list.reduce((a, b) => a + b, 0);
const mean = (list) => sum(list) / list.length;
const range = (list) => [Math.min(...list), Math.max(...list)];
const over = (run, i) => sum(run.pcp_pages.map((zone) => zone[i]));
const named = (result, name) => result.runs.find((r) => r.name === name);

const fallbacks = (c) => sum(['fallback_claim', 'fallback_steal', 'fallback_pollute']
	.map((k) => c[k] ?? 0));

// Mean over page events: how fast this host was at the time does not matter then.
function per_event(result, series) {
	const each = result.page_events.map((n, i, all) => n - (i ? all[i - 1] : 0));
	return sum(series.map((v, i) => v * each[i])) / sum(each);
}

// Of one run of one replay. `counts`: what in not_predicted is about it.
const page_metrics = {
	'free pages, mean': { of: (run, r) => per_event(r, run.free_pages), least: 50 },
	'pages on CPU lists, mean': {
		of: (run, r) => per_event(r, run.free_pages.map((_, i) => over(run, i))), least: 50,
	},
	'pages refilled': {
		of: (run) => run.counts.pcp_refill_pages, least: 200, counts: 'counts.pcp_refill_pages',
	},
	'pages drained': { of: (run) => run.counts.pcp_drain_pages, least: 200 },
	fallbacks: { of: (run) => fallbacks(run.counts), least: 2 },
	'unusable at order 9, mean, of 1000': {
		of: (run, r) => per_event(r, run.unusable['9']), least: 2,
	},
};

// Caches that the kernel's slabinfo and the reference have in common, in all results
function caches(results) {
	const known = results.map((r) => new Set(r.slabs.filter((s) => 'slabs_end' in s)
		.map((s) => s.name)));
	return results[0].slabs.filter((s) => s.reference?.as_slabinfo &&
		known.every((k) => k.has(s.name))).map((s) => s.name);
}

const total = (list, names, of) => sum(list.filter((s) => names.includes(s.name)).map(of));

// As the kernel has them at the end; by the replay, of the change's run or the host's.
const slab_metrics = {
	'slabs at the end': {
		real: (s) => s.slabs_end, told: (s) => s.slabs_end,
		own: (s) => s.reference.slabs_end,
	},
	'pages of slabs at the end': {
		real: (s) => s.slabs_end * s.pages_per_slab, told: (s) => s.pages_end,
		own: (s) => s.reference.slabs_end * s.reference.pages_per_slab,
	},
};

function directories(path) {
	return existsSync(path) ? readdirSync(path, { withFileTypes: true })
		.filter((e) => e.isDirectory()).map((e) => e.name).sort() : [];
}

const killed = (path, n) => existsSync(join(path, n, 'killed'));

function results(path) {
	return directories(path).filter((n) => existsSync(join(path, n, 'result.json')) &&
		existsSync(join(path, n, 'trace.kmt')) && !killed(path, n))
		.map((n) => JSON.parse(readFileSync(join(path, n, 'result.json'), 'utf8')));
}

// What a run that models reclaim is held against: the recorded marks, modelled.
const base_of = (result, run) => named(result, run.modelled_reclaim?.base ?? 'reference');

// Why not to believe it: what most of A's traces say.
function no_prediction(runs, what) {
	const said = runs.map((run) => run.not_predicted
		.find((n) => n.what === 'all' || n.what === what)?.why).filter(Boolean);
	return said.length * 2 > runs.length ? said[0] : null;
}

// The change from runs @a to @b; @told: predicted ones, one for each trace of A
function judge(metric, a, b, told, least, why) {
	const real = mean(b) - mean(a);
	const spread = Math.max(range(a)[1] - range(a)[0], range(b)[1] - range(b)[0]);
	const clear = Math.abs(real) > spread && Math.abs(real) >= least;
	const predicted = told.length ? mean(told) : null;
	return {
		metric, before: mean(a), real, spread, clear, predicted,
		predicted_range: told.length ? range(told) : null, not_predicted: why,
		right: clear && predicted !== null && !why
			? Math.sign(predicted) === Math.sign(real) : null,
	};
}

// Real: B as observed, less A as observed. Predicted: on each trace of A, the
// reference with the change, less the reference without.
function compare_pages(before, after, change) {
	const with_it = before.filter((r) => named(r, change));
	return Object.entries(page_metrics).map(([name, { of, least, counts }]) =>
		judge(name, before.map((r) => of(named(r, 'observed'), r)),
			after.map((r) => of(named(r, 'observed'), r)),
			with_it.map((r) => of(named(r, change), r) - of(base_of(r, named(r, change)), r)),
			least, no_prediction(with_it.map((r) => named(r, change)), counts)));
}

function compare_slabs(before, after, change) {
	const names = caches([...before, ...after]);
	const real = (list, f) => list.map((r) => total(r.slabs, names, f));
	return Object.entries(slab_metrics).map(([name, { real: f, told, own }]) =>
		judge(name, real(before, f), real(after, f), before.map((r) =>
			total(named(r, change).slabs, names, told) - total(r.slabs, names, own)), 2, null));
}

function compare(before, after, change) {
	return named(before[0], change)?.slabs ? compare_slabs(before, after, change)
		: compare_pages(before, after, change);
}

function read(lab) {
	const found = [];
	for (const kernel of directories(lab))
		for (const workload of directories(join(lab, kernel))) {
			const at = join(lab, kernel, workload);
			const before = results(join(at, 'none'));
			for (const change of directories(at).filter((c) => c !== 'none' && before.length)) {
				const path = join(at, change), after = results(path);
				found.push({
					kernel, release: before[0].host.release, workload, change,
					runs: [before.length, after.length],
					killed: directories(path).filter((n) => killed(path, n)).length,
					changes: after.length ? compare(before, after, change) : [],
				});
			}
		}
	return found;
}

const table = (head, body) => [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`,
	...body.map((line) => `| ${line.join(' | ')} |`), ''];
const number = (v) => v === null ? '-' : (v > 0 ? '+' : '') + Math.round(v).toLocaleString('en-US');
const verdict = ({ clear, predicted, right, not_predicted }) =>
	!clear ? 'within the spread' : predicted === null ? 'no setting of the replay' :
		not_predicted ? 'no prediction' : right ? 'right' : '**wrong**';

const rows_of = (f) => [...f.changes.map((c) => [f.workload, c.metric,
	Math.round(c.before).toLocaleString('en-US'), number(c.real),
	number(c.spread).replace('+', ''), c.predicted_range ? `${number(c.predicted)} (${
		c.predicted_range.map(number).join(' .. ')})` : '-', verdict(c)]),
...(f.killed ? [[f.workload, `out of memory in ${f.killed} of ${f.killed + f.runs[1]} runs`,
	'', '', '', '', 'not compared']] : [])];

function changeTables(found, kernel) {
	const mine = found.filter((f) => f.kernel === kernel);
	return [`### Linux ${mine[0].release}`, '',
		`Runs as it is, and with the change: ${[...new Set(mine.map((f) => f.workload))].map((w) => {
			const runs = mine.filter((f) => f.workload === w).map((f) => f.runs);
			return `${w} ${runs[0][0]} and ${range(runs.map((r) => r[1])).join(' to ')}`;
		}).join(', ')}.`, '',
		...[...new Set(mine.map((f) => f.change))].flatMap((change) => [`#### ${change}`, '',
			...table(['workload', 'figure', 'before', 'real change', 'spread of runs', 'predicted',
				'sign'], mine.filter((f) => f.change === change).flatMap(rows_of))])];
}

const factor_two = (c) => c.right && c.predicted / c.real >= 0.5 && c.predicted / c.real <= 2;

function summary(found) {
	const all = found.flatMap((f) => f.changes);
	const clear = all.filter((c) => c.clear && c.predicted !== null);
	const told = clear.filter((c) => !c.not_predicted);
	return [`Of ${all.length} figures, ${clear.length} changed by more than their runs differ and ` +
		`have a setting in the replay. Of ${clear.length - told.length} of them the replay says that it ` +
		`does not predict them; of the other ${told.length} the sign was right for ` +
		`${told.filter((c) => c.right).length}.`, '',
	...table(['change', 'clear', 'no prediction', 'right sign', 'wrong sign', 'within a factor of two'],
		[...new Set(found.map((f) => f.change))].map((change) => {
			const mine = found.filter((f) => f.change === change).flatMap((f) => f.changes)
				.filter((c) => c.clear && c.predicted !== null);
			return [change, mine.length, mine.filter((c) => c.not_predicted).length,
				mine.filter((c) => c.right).length, mine.filter((c) => c.right === false).length,
				mine.filter(factor_two).length];
		}))];
}

const [lab, out] = process.argv.slice(2);
const found = read(lab);
if (!found.length) {
	console.error(`whatif: no results in '${lab}'`);
	process.exit(1);
}
const made = [BEGIN, '', ...summary(found),
	...[...new Set(found.map((f) => f.kernel))].flatMap((k) => changeTables(found, k)), END].join('\n');
const page = join(out, 'whatif.md');
const old = existsSync(page) ? readFileSync(page, 'utf8') : `# What-if\n\n${BEGIN}\n${END}\n`;
writeFileSync(page, old.slice(0, old.indexOf(BEGIN)) + made + old.slice(old.indexOf(END) + END.length));
writeFileSync(join(out, 'whatif.json'), `${JSON.stringify(found, null, '\t')}\n`);
console.log(`whatif: ${found.length} changes in ${page}`);

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

const fallbacks = (c) => sum(['fallback_claim', 'fallback_steal', 'fallback_pollute']
	.map((k) => c[k] ?? 0));

// Of one run of one replay. Means are over the whole recording.
const metrics = {
	'free pages, mean': (run) => mean(run.free_pages),
	'pages on CPU lists, mean': (run) => mean(run.free_pages.map((_, i) => over(run, i))),
	'pages refilled': (run) => run.counts.pcp_refill_pages,
	'pages drained': (run) => run.counts.pcp_drain_pages,
	fallbacks: (run) => fallbacks(run.counts),
	'unusable at order 9, mean, of 1000': (run) => mean(run.unusable['9']),
};

// Less than this is nothing, whatever the spread says.
const LEAST = {
	'free pages, mean': 50,
	'pages on CPU lists, mean': 50,
	'pages refilled': 200,
	'pages drained': 200,
	fallbacks: 2,
	'unusable at order 9, mean, of 1000': 2,
};

function directories(path) {
	return existsSync(path) ? readdirSync(path, { withFileTypes: true })
		.filter((e) => e.isDirectory()).map((e) => e.name).sort() : [];
}

function results(path) {
	return directories(path).filter((n) => existsSync(join(path, n, 'result.json')) &&
		existsSync(join(path, n, 'trace.kmt')))
		.map((n) => JSON.parse(readFileSync(join(path, n, 'result.json'), 'utf8')));
}

const named = (result, name) => result.runs.find((r) => r.name === name);

// Real: B as observed, less A as observed. Predicted: on each trace of A, the
// reference with the change, less the reference without.
function compare(before, after, change, metric) {
	const f = metrics[metric];
	const a = before.map((r) => f(named(r, 'observed')));
	const b = after.map((r) => f(named(r, 'observed')));
	const told = before.filter((r) => named(r, change))
		.map((r) => f(named(r, change)) - f(named(r, 'reference')));
	const real = mean(b) - mean(a);
	const spread = Math.max(range(a)[1] - range(a)[0], range(b)[1] - range(b)[0]);
	const clear = Math.abs(real) > spread && Math.abs(real) >= LEAST[metric];
	const predicted = told.length ? mean(told) : null;
	return {
		metric, before: mean(a), real, spread, clear, predicted,
		predicted_range: told.length ? range(told) : null,
		right: clear && predicted !== null ? Math.sign(predicted) === Math.sign(real) : null,
	};
}

function read(lab) {
	const found = [];
	for (const kernel of directories(lab))
		for (const workload of directories(join(lab, kernel))) {
			const before = results(join(lab, kernel, workload, 'none'));
			for (const change of directories(join(lab, kernel, workload))) {
				const after = results(join(lab, kernel, workload, change));
				if (change === 'none' || !before.length || !after.length)
					continue;
				found.push({
					kernel, release: before[0].host.release, workload, change,
					runs: [before.length, after.length],
					changes: Object.keys(metrics).map((m) => compare(before, after, change, m)),
				});
			}
		}
	return found;
}

const table = (head, body) => [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`,
	...body.map((line) => `| ${line.join(' | ')} |`), ''];
const number = (v) => v === null ? '-' : (v > 0 ? '+' : '') + Math.round(v).toLocaleString('en-US');
const verdict = ({ clear, predicted, right }) =>
	!clear ? 'within the spread' : predicted === null ? 'no setting of the replay' :
		right ? 'right' : '**wrong**';

function changeTables(found, kernel) {
	const mine = found.filter((f) => f.kernel === kernel);
	return [`### Linux ${mine[0].release}`, '',
		...[...new Set(mine.map((f) => f.change))].flatMap((change) => [`#### ${change}`, '',
			...table(['workload', 'figure', 'before', 'real change', 'spread of runs', 'predicted',
				'sign'], mine.filter((f) => f.change === change).flatMap((f) => f.changes.map((c) =>
				[f.workload, c.metric, Math.round(c.before).toLocaleString('en-US'), number(c.real),
					number(c.spread).replace('+', ''), c.predicted_range ? `${number(c.predicted)} (${
						c.predicted_range.map(number).join(' .. ')})` : '-', verdict(c)])))])];
}

function summary(found) {
	const all = found.flatMap((f) => f.changes);
	const clear = all.filter((c) => c.clear && c.predicted !== null);
	return [`Of ${all.length} figures, ${clear.length} changed by more than their runs differ and can ` +
		`be predicted; the sign was right for ${clear.filter((c) => c.right).length} of them.`, '',
	...table(['change', 'clear', 'right sign', 'within a factor of two'],
		[...new Set(found.map((f) => f.change))].map((change) => {
			const mine = found.filter((f) => f.change === change).flatMap((f) => f.changes)
				.filter((c) => c.clear && c.predicted !== null);
			return [change, mine.length, mine.filter((c) => c.right).length,
				mine.filter((c) => c.right && c.predicted / c.real >= 0.5 &&
					c.predicted / c.real <= 2).length];
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

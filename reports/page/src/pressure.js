// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// pressure.js - stalls, failures and busy background threads: as marks on a chart over
// time, and as a chart of their own.
import { addChart } from './chart.js';
import { addHeat } from './heat.js';
import { duration } from './metric.js';
import { setFullRange, swatch } from './shared.js';

const KINDS = {
	reclaim: ['direct reclaim', '--c-vermillion', 0],
	memcg_reclaim: ['cgroup reclaim', '--c-orange', 0],
	node_reclaim: ['node reclaim', '--c-orange', 0],
	compaction: ['direct compaction', '--c-purple', 1],
	compaction_asked_for: ['compaction asked for', '--c-green', 1],
	throttled: ['throttled', '--c-yellow', 1],
	failure: ['failed allocation', '--text', 2],
	oom: ['OOM kill', '--c-blue', 2],
};
const FALLBACK = ['fallback', '--c-orange', 3];
const MIXING = ['fallback that mixes a movable pageblock', '--c-vermillion', 3];
const THREADS = { kswapd: ['kswapd awake', '--c-sky', 4], kcompactd: ['kcompactd awake', '--c-green', 5] };

// A span for each column of a count over time that is not 0.
function columns([label, hue, row], column_ns, numbers = []) {
	return numbers.flatMap((n, i) => (n ? [{ from: (i * column_ns) / 1e9, to: ((i + 1) * column_ns) / 1e9, hue, row, label, n, value: `${n} here` }] : []));
}

function fallbacksOf(result) {
	const f = result.fallbacks_over_time;
	return f ? [...columns(FALLBACK, f.column_ns, f.events.map((n, i) => n - f.mixing[i])), ...columns(MIXING, f.column_ns, f.mixing)] : [];
}

// Lists of single ones are cut; where they are, the counts over time have them all.
function crowds(result) {
	const { longest = [], marks = [], by_kind = [], heat = {}, marks_over_time: times = {} } = result.stalls ?? {};
	const spans = [];
	if (by_kind.reduce((n, k) => n + k.count, 0) > longest.length)
		for (const [kind, grid] of Object.entries(heat)) {
			const n = Array(grid.columns).fill(0);
			for (const [column, , more] of grid.cells) n[column] += more;
			spans.push(...columns(KINDS[kind] ?? [kind, '--muted', 1], grid.column_ns, n));
		}
	const all = ['failure', 'oom'].reduce((n, kind) => n + (times[kind] ?? []).reduce((a, b) => a + b, 0), 0);
	if (all > marks.length)
		for (const kind of ['failure', 'oom']) spans.push(...columns(KINDS[kind], times.column_ns, times[kind]));
	return spans;
}

function marksOf(result) {
	const { longest = [], marks = [] } = result.stalls ?? {};
	const mark = (ns, kind, value) => {
		const [label, hue, row] = KINDS[kind] ?? [kind, '--muted', 1];
		return { at: ns / 1e9, hue, row, label, value };
	};
	return [
		...longest.map((s) => mark(s.t_ns, s.kind, `${duration(s.duration_ns)}, ${s.comm}, order ${s.order}`)),
		...marks.map((m) => mark(m.t_ns, m.what, `${m.comm}, order ${m.order}`)),
	];
}

function spansOf(result) {
	return (result.stalls?.background ?? []).flatMap((b) => {
		const [label, hue, row] = THREADS[b.thread] ?? [b.thread, '--muted', 4];
		return b.longest.map((s) => ({ from: s.t_ns / 1e9, to: (s.t_ns + s.duration_ns) / 1e9, hue, row, label, value: duration(s.duration_ns) }));
	});
}

// No empty rows between those that have marks.
function closeUp({ marks, spans }) {
	const rows = [...new Set([...marks, ...spans].map((m) => m.row))].sort((a, b) => a - b);
	const up = (m) => ({ ...m, row: rows.indexOf(m.row) });
	return { marks: marks.map(up), spans: spans.map(up) };
}

// Several results have their own charts: marks of two in one row would not be told apart.
export function pressure(model) {
	const one = model.results.length === 1 ? model.results : [];
	return closeUp({ marks: one.flatMap(marksOf), spans: one.flatMap((r) => [...spansOf(r), ...crowds(r), ...fallbacksOf(r)]) });
}

// What the marks mean; colours alone would not tell.
export function pressureLegend({ marks, spans }) {
	const list = document.createElement('ul');
	const seen = new Map();
	for (const m of [...marks, ...spans]) seen.set(m.label, m);
	for (const [label, m] of [...seen].sort((a, b) => a[1].row - b[1].row)) {
		const item = document.createElement('li');
		item.append(swatch({ ...m, kind: 'line', dash: [] }), `${label} (row ${m.row + 1} from the top)`);
		list.append(item);
	}
	list.className = 'marks-legend';
	return list;
}

// Stalls of one kind as points; of several at one moment the longest.
function seriesOf(result, kind) {
	const at = new Map();
	for (const s of result.stalls.longest)
		if (s.kind === kind) at.set(s.t_ns, Math.max(at.get(s.t_ns) ?? 0, s.duration_ns));
	const times = [...at.keys()].sort((a, b) => a - b);
	const [label, hue] = KINDS[kind] ?? [kind, '--muted'];
	return {
		kind: 'points',
		label,
		hue,
		dash: [],
		visible: true,
		time: times.map((t) => t / 1e9),
		lengths: times.map((t) => at.get(t)),
	};
}

function stallChart(slot, model, result) {
	const kinds = [...new Set(result.stalls.longest.map((s) => s.kind))];
	const series = kinds.map((kind) => seriesOf(result, kind));
	const { marks, spans } = closeUp({
		marks: marksOf(result).filter((m) => m.row === 2),
		spans: [...spansOf(result), ...fallbacksOf(result)],
	});
	const legend = pressureLegend({ marks, spans });
	const grid = document.createElement('div');
	for (const s of [...series].reverse()) {
		const item = document.createElement('li');
		item.append(swatch(s), s.label);
		legend.prepend(item);
	}
	grid.className = 'grid one';
	slot.append(legend, grid);
	addChart(grid, {
		title: model.results.length > 1 ? `${result.label}: each stall by its length` : 'Each stall by its length',
		unit: 'at its begin; the 200 longest',
		series,
		values: (s) => s.lengths,
		format: duration,
		tick: duration,
		logY: true,
		height: 220,
		marks,
		spans,
	});
}

export function stallCharts(slot, model) {
	const name = (result) => (model.results.length > 1 ? `${result.label}: ` : '');
	setFullRange(model.end);
	for (const result of model.results) if (result.stalls?.longest.length) stallChart(slot, model, result);
	for (const result of model.results)
		for (const [kind, heat] of Object.entries(result.stalls?.heat ?? {})) {
			const [label, hue] = KINDS[kind] ?? [kind, '--c-blue'];
			addHeat(slot, { title: `${name(result)}${label}: all stalls`, unit: 'stalls', heat, hue });
		}
}

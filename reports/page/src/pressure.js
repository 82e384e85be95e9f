// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// pressure.js - stalls, failures and busy background threads: as marks on a chart over
// time, and as a chart of their own.
import { addChart } from './chart.js';
import { duration } from './metric.js';
import { setFullRange, swatch } from './shared.js';

const KINDS = {
	reclaim: ['direct reclaim', '--c-vermillion', 0],
	memcg_reclaim: ['cgroup reclaim', '--c-orange', 0],
	node_reclaim: ['node reclaim', '--c-orange', 0],
	compaction: ['direct compaction', '--c-purple', 1],
	throttled: ['throttled', '--c-yellow', 1],
	failure: ['failed allocation', '--text', 2],
	oom: ['OOM kill', '--c-blue', 2],
};
const THREADS = { kswapd: ['kswapd awake', '--c-sky', 3], kcompactd: ['kcompactd awake', '--c-green', 4] };

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
		return b.longest.map((s) => ({ from: s.t_ns / 1e9, to: (s.t_ns + s.duration_ns) / 1e9, hue, row, label }));
	});
}

// Several results have their own charts: marks of two in one row would not be told apart.
export function pressure(model) {
	const one = model.results.length === 1 ? model.results : [];
	return { marks: one.flatMap(marksOf), spans: one.flatMap(spansOf) };
}

// What the marks mean; colours alone would not tell.
export function pressureLegend({ marks, spans }) {
	const list = document.createElement('ul');
	const seen = new Map();
	for (const m of [...marks, ...spans]) seen.set(m.label, m);
	for (const [label, m] of seen) {
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
	const up = (m) => ({ ...m, row: m.row - 2 });
	const marks = marksOf(result).filter((m) => m.row === 2).map(up);
	const spans = spansOf(result).map(up);
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
	setFullRange(model.end);
	for (const result of model.results) if (result.stalls?.longest.length) stallChart(slot, model, result);
}

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
const THREADS = { kswapd: ['kswapd awake', '--c-sky', 0], kcompactd: ['kcompactd awake', '--c-green', 1] };

const named = (model, result, text) => (model.results.length > 1 ? `${result.label}: ${text}` : text);

function marksOf(model, result) {
	const { longest = [], marks = [] } = result.stalls ?? {};
	const mark = (ns, kind, value) => {
		const [label, hue, row] = KINDS[kind] ?? [kind, '--muted', 1];
		return { at: ns / 1e9, hue, row, label: named(model, result, label), value };
	};
	return [
		...longest.map((s) => mark(s.t_ns, s.kind, `${duration(s.duration_ns)}, ${s.comm}, order ${s.order}`)),
		...marks.map((m) => mark(m.t_ns, m.what, `${m.comm}, order ${m.order}`)),
	];
}

function spansOf(model, result) {
	return (result.stalls?.background ?? []).flatMap((b) => {
		const [label, hue, row] = THREADS[b.thread] ?? [b.thread, '--muted', 1];
		return b.longest.map((s) => ({ from: s.t_ns / 1e9, to: (s.t_ns + s.duration_ns) / 1e9, hue, row, label: named(model, result, label) }));
	});
}

export function pressure(model) {
	return {
		marks: model.results.flatMap((r) => marksOf(model, r)),
		spans: model.results.flatMap((r) => spansOf(model, r)),
	};
}

// What the marks mean; colours alone would not tell.
export function pressureLegend({ marks, spans }) {
	const list = document.createElement('ul');
	const seen = new Map();
	for (const m of marks) seen.set(m.label, { ...m, where: 'top edge' });
	for (const s of spans) seen.set(s.label, { ...s, where: 'bottom edge' });
	for (const [label, m] of seen) {
		const item = document.createElement('li');
		item.append(swatch({ ...m, kind: 'line', dash: [] }), `${label} (${m.where}, row ${m.row + 1})`);
		list.append(item);
	}
	list.className = 'marks-legend';
	return list;
}

// Stalls of one kind as points; of several at one moment the longest.
function seriesOf(model, result, kind) {
	const at = new Map();
	for (const s of result.stalls.longest)
		if (s.kind === kind) at.set(s.t_ns, Math.max(at.get(s.t_ns) ?? 0, s.duration_ns));
	const times = [...at.keys()].sort((a, b) => a - b);
	const [label, hue] = KINDS[kind] ?? [kind, '--muted'];
	return {
		kind: 'points',
		label: named(model, result, label),
		hue,
		dash: [],
		visible: true,
		time: times.map((t) => t / 1e9),
		lengths: times.map((t) => at.get(t)),
	};
}

export function stallCharts(slot, model) {
	setFullRange(model.end);
	const series = model.results.flatMap((result) =>
		[...new Set((result.stalls?.longest ?? []).map((s) => s.kind))].map((kind) => seriesOf(model, result, kind)));
	const { marks, spans } = pressure(model);
	const rare = marks.filter((m) => m.row === 2).map((m) => ({ ...m, row: 0 }));
	const legend = pressureLegend({ marks: rare, spans });
	const items = series.map((s) => {
		const item = document.createElement('li');
		item.append(swatch(s), s.label);
		return item;
	});
	const grid = document.createElement('div');
	grid.className = 'grid one';
	legend.prepend(...items);
	slot.append(legend, grid);
	addChart(grid, {
		title: 'Each stall by its length',
		unit: 'when it began; the 200 longest',
		series,
		values: (s) => s.lengths,
		format: duration,
		tick: duration,
		logY: true,
		height: 220,
		marks: rare,
		spans,
	});
}

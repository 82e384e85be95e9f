// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// data.js - results as the charts want them: one list of runs, their styles,
// and values summed over the zones that are looked at.
import { unusable } from './metric.js';

// Okabe-Ito. One result: a hue a run. Several: a hue a result, a dash a run.
const HUES = ['--c-blue', '--c-vermillion', '--c-green', '--c-purple', '--c-orange', '--c-sky'];
const DASHES = { observed: [], reference: [7, 4], baseline: [1, 4] };
const OTHER_DASHES = [[12, 3, 2, 3], [3, 3], [10, 3, 2, 3, 2, 3]];

export const zoneKey = (zone) => `node ${zone.node ?? 0} ${zone.name}`;
export const seconds = (ns) => ns.map((t) => t / 1e9);

function runLabel(name) {
	if (name === 'observed') return 'kernel';
	if (name === 'reference') return 'reference (model)';
	return name;
}

function styleOf(model, resultIndex, runIndex, name) {
	const several = model.results.length > 1;
	const dash = DASHES[name] ?? OTHER_DASHES[runIndex % OTHER_DASHES.length];
	const hue = HUES[(several ? resultIndex : runIndex) % HUES.length];
	return { hue: name === 'baseline' && !several ? '--muted' : hue, dash };
}

function addRuns(model, result, index) {
	const prefix = model.results.length > 1 ? `${result.label}: ` : '';
	result.runs.forEach((run, i) => {
		model.series.push({
			kind: 'line',
			result,
			name: run.name,
			label: prefix + runLabel(run.name),
			time: seconds(result.time_ns),
			blocks: run.free_blocks,
			unusable: run.unusable ?? {},
			visible: true,
			...styleOf(model, index, i, run.name),
		});
	});
	if (!result.kernel_samples) return;
	model.series.push({
		kind: 'points',
		result,
		label: `${prefix}/proc/buddyinfo sample`,
		time: seconds(result.kernel_samples.time_ns),
		blocks: result.kernel_samples.free_blocks,
		unusable: {},
		visible: true,
		hue: model.results.length > 1 ? HUES[index % HUES.length] : '--text',
		dash: [],
	});
}

// [value, how often, ...] back into a row.
function unpack(runs) {
	const row = [];
	for (let i = 0; i < runs.length; i += 2) for (let n = runs[i + 1]; n > 0; n--) row.push(runs[i]);
	return row;
}

export function prepare(data) {
	for (const result of data.results)
		for (const zone of result.pageblocks?.zones ?? []) {
			zone.type = zone.type.map(unpack);
			zone.used = zone.used.map(unpack);
		}
	const model = { results: data.results, comparison: data.comparison, series: [], zones: [], orders: 0, end: 0 };
	model.results.forEach((result, i) => {
		addRuns(model, result, i);
		model.end = Math.max(model.end, (result.duration_ns || 0) / 1e9,
			result.time_ns[result.time_ns.length - 1] / 1e9);
		for (const zone of result.zones)
			if (!model.zones.includes(zoneKey(zone))) model.zones.push(zoneKey(zone));
	});
	for (const s of model.series)
		for (const zone of s.blocks ?? []) model.orders = Math.max(model.orders, zone.length);
	return model;
}

// Indices of the zones of `series` that `key` stands for; null is all.
function zonesOf(series, key) {
	return series.result.zones
		.map((zone, i) => (key === null || zoneKey(zone) === key ? i : -1))
		.filter((i) => i >= 0);
}

// Free blocks of `order` over the chosen zones; null where the run has none.
function blocks(series, order, key) {
	const rows = zonesOf(series, key).map((z) => series.blocks?.[z]?.[order]).filter(Boolean);
	if (!rows.length) return null;
	return series.time.map((_, i) => rows.reduce((sum, row) => sum + row[i], 0));
}

export function freeBytes(series, order, key) {
	const row = blocks(series, order, key);
	return row && row.map((n) => n * 2 ** order * series.result.page_bytes);
}

export function totalBytes(series, orders, key) {
	let sum = null;
	for (let order = 0; order < orders; order++) {
		const row = freeBytes(series, order, key);
		if (row) sum = sum ? sum.map((v, i) => v + row[i]) : row;
	}
	return sum;
}

// Percent. Whole host: as the result says; a zone, and samples: computed here.
export function unusablePercent(series, order, orders, key) {
	const given = series.unusable[order];
	if (key === null && given) return given.map((v) => v / 10);
	const rows = [];
	for (let o = 0; o < orders; o++) rows.push(blocks(series, o, key));
	if (rows.every((row) => !row)) return null;
	return series.time.map((_, i) => unusable(rows.map((row) => row?.[i] ?? 0), order));
}

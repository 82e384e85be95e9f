// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// curves.js - distributions of times, on a logarithmic axis: how long things live and how
// long calls take.
import { addChart } from './chart.js';
import { addHeat } from './heat.js';
import { bytes, count, duration, share } from './metric.js';
import { setFullRange, swatch } from './shared.js';

const HUES = ['--c-blue', '--c-vermillion', '--c-green', '--c-purple', '--c-orange', '--c-sky'];
const DASHES = [[], [7, 4], [2, 3], [12, 3, 2, 3], [4, 2], [10, 3, 2, 3, 2, 3]];
const LIVES_SHOWN = 12, LATENCIES_SHOWN = 6, FREED_FROM = 20;

const around = (values) => [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))];
const xAxis = (range) => ({ range, tick: duration, format: duration });

function grid(slot, className = 'grid') {
	const e = document.createElement('div');
	e.className = className;
	slot.append(e);
	return e;
}

function remark(slot, text) {
	const p = document.createElement('p');
	p.className = 'remark';
	p.textContent = text;
	slot.append(p);
}

function curve(label, i, points, stepped) {
	return {
		kind: 'line',
		label,
		hue: HUES[i % HUES.length],
		dash: DASHES[i % DASHES.length],
		visible: true,
		stepped,
		time: points.map((p) => p[0]),
		shares: points.map((p) => p[1]),
	};
}

export function lifetimeCharts(slot, model) {
	const rows = model.results.map((r) => r.lifetimes.filter((l) => l.freed >= FREED_FROM && l.survival.length > 2));
	const names = [...new Set(rows.flat().sort((a, b) => b.freed - a.freed).map((l) => l.name))].slice(0, LIVES_SHOWN);
	const times = rows.flat().filter((l) => names.includes(l.name)).flatMap((l) => l.survival.slice(1).map((p) => p[0])).filter((t) => t > 0);
	if (!names.length) return remark(slot, `Nothing was freed ${FREED_FROM} times: there are no curves to draw.`);
	remark(slot, `Survival of the ${names.length} classes with most ended lives: the share that lives longer than a time. Where a curve ends above 0 %, the rest was still live at the end.`);
	const range = around(times);
	const box = grid(slot);
	for (const name of names) {
		const series = model.results.flatMap((result, i) => {
			const life = rows[i].find((l) => l.name === name);
			if (!life) return [];
			const points = life.survival.map(([ns, v]) => [Math.max(ns, range[0]), 100 * v]);
			return [curve(model.results.length > 1 ? result.label : 'still live', i, points.filter((p, k) => !k || p[0] > points[k - 1][0]), true)];
		});
		addChart(box, {
			title: name,
			unit: `% still live; ${count(Math.max(...rows.flat().filter((l) => l.name === name).map((l) => l.freed)))} ended`,
			series,
			values: (s) => s.shares,
			format: share,
			tick: share,
			height: 130,
			least: 100,
			ceiling: 100,
			x: xAxis(range),
		});
	}
}

// Share of calls that took longer than each bucket's lowest time.
function slower(row) {
	let rest = row.calls;
	return row.histogram.map(([ns, calls]) => {
		const point = [Math.max(ns, 1), (100 * rest) / row.calls];
		rest -= calls;
		return point;
	});
}

const WHATS = { pages: 'Kernel: pages', kmalloc: 'Kernel: kmalloc', cache: 'Kernel: objects of caches' };

const byPath = (row) => (row.path === undefined ? '' : ', by path');

// The kernel's classes and paths, and the pages of each run that was timed in user space.
function timed(model) {
	return model.results.flatMap((result) => [
		...result.latency.map((row) => ({ row, result, what: (WHATS[row.what] ?? `Kernel: ${row.what}`) + byPath(row) })),
		...result.runs.flatMap((run) => [...run.latency?.rows ?? [], ...run.latency?.paths ?? []]
			.map((row) => ({ row, result, what: `${run.name}: pages${byPath(row)}, in user space` }))),
	]);
}

function latencyHeat(slot, model) {
	for (const result of model.results) {
		const name = model.results.length > 1 ? `${result.label}: ` : '';
		const whats = Object.entries(result.latency_heat ?? {});
		for (const [what, heat] of whats.sort((a, b) => Object.keys(WHATS).indexOf(a[0]) - Object.keys(WHATS).indexOf(b[0])))
			addHeat(slot, { title: `${name}${WHATS[what] ?? what}`, unit: 'calls', heat, hue: '--c-blue', estimated: true });
		for (const run of result.runs)
			for (const heat of Object.values(run.latency?.heat ?? {}))
				addHeat(slot, { title: `${name}${run.name}: pages, in user space`, unit: 'timed requests', heat, hue: '--c-vermillion' });
	}
}

const classOf = (row) => (row.order === undefined ? `up to ${bytes(row.bytes)}` : `${row.path ? `${row.path}, ` : ''}order ${row.order}`);

export function latencyCharts(slot, model) {
	const all = timed(model);
	setFullRange(model.end);
	const range = around(all.flatMap(({ row }) => row.histogram.map((b) => Math.max(b[0], 1))).concat(10));
	const least = Math.min(...all.flatMap(({ row }) => slower(row).map((p) => p[1])));
	const box = grid(slot, 'grid wide');
	for (const what of [...new Set(all.map((a) => a.what))]) {
		const most = all.filter((a) => a.what === what).sort((a, b) => b.row.calls - a.row.calls).slice(0, LATENCIES_SHOWN);
		const series = most.map(({ row, result }, i) =>
			curve(model.results.length > 1 ? `${result.label}: ${classOf(row)}` : `${classOf(row)} (${count(row.calls)} calls)`, i, slower(row), true));
		const cell = document.createElement('div');
		box.append(cell);
		addChart(cell, {
			title: what,
			unit: '% of calls that take as long or longer',
			series,
			values: (s) => s.shares,
			format: share,
			tick: share,
			height: 230,
			logY: true,
			yRange: [10 ** Math.floor(Math.log10(least)), 100],
			x: xAxis(range),
		});
		const list = document.createElement('ul');
		list.className = 'marks-legend';
		for (const s of series) {
			const item = document.createElement('li');
			item.append(swatch(s), s.label);
			list.append(item);
		}
		cell.append(list);
	}
	latencyHeat(slot, model);
}

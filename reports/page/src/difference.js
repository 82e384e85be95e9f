// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// difference.js - B minus A over time, of any two runs of any results.
import { addChart } from './chart.js';
import { freeBytes, totalBytes, unusablePercent } from './data.js';
import { bytes, bytesSteps, bytesUnit, short } from './metric.js';
import { setFullRange } from './shared.js';

const points = (v) => `${v > 0 ? '+' : ''}${v.toFixed(1)} points`;
const signed = (v) => `${v > 0 ? '+' : ''}${bytes(v)}`;

// The value of a series that lasts until its next sample, at `t`.
function at(time, values, t) {
	let low = 0, high = time.length;
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if (time[middle] <= t) low = middle;
		else high = middle;
	}
	return values[low];
}

const lengthOf = (s) => s.time[s.time.length - 1] || 1;

// `values(s)` of B minus A, at the times of A; stretched: B's length made that of A.
function difference(state, values) {
	const { a, b } = state;
	const from = values(a), to = values(b);
	if (!from || !to) return null;
	const scale = state.stretch ? lengthOf(b) / lengthOf(a) : 1;
	return a.time.map((t, i) => (t * scale > lengthOf(b) ? null : at(b.time, to, t * scale) - from[i]));
}

function choose(label, list, value, change) {
	const box = document.createElement('label');
	const select = document.createElement('select');
	list.forEach((s, i) => select.append(new Option(s.label, i, false, s === value)));
	select.addEventListener('change', () => change(list[select.value]));
	box.className = 'control';
	box.append(`${label} `, select);
	return box;
}

// What is compared at first: the same as the table's first row.
function firstPair(model, lines) {
	const of = (result, name) => lines.find((s) => s.result === result && s.name === name);
	const [one, two] = model.results;
	const asked = model.comparison?.run ?? 'observed';
	if (two) return [of(one, asked) ?? lines[0], of(two, asked) ?? lines.find((s) => s.result === two)];
	if (model.comparison) {
		const { base, groups } = model.comparison;
		return [base, base ? 0 : 1].map((i) => of(one, groups[i])).map((s, i) => s ?? lines[i]);
	}
	return [of(one, 'observed') ?? lines[0], of(one, 'reference') ?? lines[1]];
}

function stretchBox(state, changed) {
	const box = document.createElement('label');
	const input = document.createElement('input');
	input.type = 'checkbox';
	input.addEventListener('change', () => {
		state.stretch = input.checked;
		changed();
	});
	box.className = 'control';
	box.append(input, ' make lengths equal');
	return box;
}

export function differenceCharts(slot, model) {
	const lines = model.series.filter((s) => s.kind === 'line');
	const [a, b] = firstPair(model, lines);
	const state = { a, b, stretch: false };
	const charts = [];
	const controls = document.createElement('div');
	const grid = document.createElement('div');
	setFullRange(model.end);
	controls.className = 'controls';
	grid.className = 'grid wide';
	slot.append(controls, grid);
	const changed = () => charts.forEach((c) => {
		c.series[0].time = state.a.time;
		c.series[0].label = `${state.b.label} minus ${state.a.label}`;
		c.refresh();
	});
	controls.append(
		choose('', lines, b, (s) => {
			state.b = s;
			changed();
		}),
		choose('minus', lines, a, (s) => {
			state.a = s;
			changed();
		}));
	if (model.results.length > 1) controls.append(stretchBox(state, changed));
	const add = (title, unit, values, format, tick, least, steps) => charts.push(addChart(grid, {
		title,
		unit,
		series: [{ kind: 'line', label: `${b.label} minus ${a.label}`, hue: '--c-purple', dash: [], visible: true, time: a.time }],
		values: () => difference(state, values),
		format,
		tick,
		steps,
		height: 170,
		signed: true,
		least,
	}));
	const addBytes = (title, values) => {
		const unit = bytesUnit(Math.max(1, ...(difference(state, values) ?? []).map(Math.abs)));
		add(title, unit.name, values, signed, (v) => short(v / unit.scale), 0, bytesSteps(unit.scale));
	};
	addBytes('All orders: free memory', (s) => totalBytes(s, model.orders, null));
	for (const order of [3, 4, 9])
		add(`Unusable at order ${order}`, 'percentage points; below 0 is better', (s) => unusablePercent(s, order, model.orders, null), points, (v) => `${Number(v.toPrecision(3))}`, 1);
	for (let order = model.orders - 2; order < model.orders; order++)
		if (order >= 0) addBytes(`Free in blocks of order ${order}`, (s) => freeBytes(s, order, null));
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sections.js - the sections that show series over time.
import { addChart } from './chart.js';
import { freeBytes, seconds, totalBytes, unusablePercent } from './data.js';
import { bytes, bytesSteps, bytesUnit, change, percent, short } from './metric.js';
import { pressure, pressureLegend } from './pressure.js';
import { isZoomed, onRange, resetRange, setFullRange, swatch } from './shared.js';

// Which zone and which runs are looked at: the same in all sections.
const state = { zone: null, sameScale: false, listeners: [] };

function changed() {
	for (const f of state.listeners) f();
}

function element(tag, className, ...children) {
	const e = document.createElement(tag);
	e.className = className;
	e.append(...children);
	return e;
}

function legend(model) {
	const box = element('div', 'legend');
	box.setAttribute('role', 'group');
	box.setAttribute('aria-label', 'Runs shown');
	for (const s of model.series) {
		const button = element('button', 'chip', swatch(s), s.label);
		button.type = 'button';
		button.addEventListener('click', () => {
			s.visible = !s.visible;
			changed();
		});
		const show = () => button.setAttribute('aria-pressed', s.visible);
		state.listeners.push(show);
		show();
		box.append(button);
	}
	return box;
}

function zoneSelect(model) {
	const select = document.createElement('select');
	const options = [['', 'whole host'], ...model.zones.map((key) => [key, key])];
	for (const [value, text] of options) select.append(new Option(text, value));
	select.addEventListener('change', () => {
		state.zone = select.value || null;
		changed();
	});
	state.listeners.push(() => (select.value = state.zone ?? ''));
	return element('label', 'control', 'Zone ', select);
}

function scaleCheck() {
	const box = document.createElement('input');
	box.type = 'checkbox';
	box.addEventListener('change', () => {
		state.sameScale = box.checked;
		changed();
	});
	return element('label', 'control', box, ' same scale for all orders');
}

function zoomButton() {
	const button = element('button', 'control', 'Reset zoom');
	const show = () => (button.disabled = !isZoomed());
	button.type = 'button';
	button.title = 'Drag over a chart to zoom in; double-click or press Escape to reset';
	button.addEventListener('click', resetRange);
	onRange(show);
	show();
	return button;
}

function follow(charts) {
	let visible = '';
	state.listeners.push(() => {
		const now = charts[0]?.series.map((s) => s.visible).join();
		for (const c of charts) (now === visible ? c.refresh : c.restyle)();
		visible = now;
	});
	visible = charts[0]?.series.map((s) => s.visible).join();
}

const most = (rows) => Math.max(0, ...rows.filter(Boolean).map((row) => Math.max(...row)));

export function freeCharts(slot, model) {
	setFullRange(model.end);
	slot.append(element('div', 'controls', legend(model), zoneSelect(model), scaleCheck(), zoomButton()));
	const grid = element('div', 'grid');
	slot.append(grid);
	const all = () => most(model.series.map((s) => totalBytes(s, model.orders, null)));
	const unit = bytesUnit(all());
	const common = {
		series: model.series,
		format: bytes,
		height: 150,
		least: 0,
	};
	const events = pressure(model);
	if (events.marks.length || events.spans.length) grid.before(pressureLegend(events));
	const charts = [addChart(grid, {
		...common,
		...events,
		height: 190,
		title: 'All orders: free memory',
		unit: unit.name,
		tick: (v) => short(v / unit.scale),
		steps: bytesSteps(unit.scale),
		values: (s) => totalBytes(s, model.orders, state.zone),
	})];
	const largest = () => most(model.series.flatMap((s) => (s.visible ? orders(model).map((o) => freeBytes(s, o, state.zone)) : [])));
	for (const order of orders(model)) charts.push(addChart(grid, orderChart(model, order, common, largest)));
	follow(charts);
}

const orders = (model) => [...Array(model.orders).keys()];

function orderChart(model, order, common, largest) {
	const unit = bytesUnit(most(model.series.map((s) => freeBytes(s, order, null))));
	return {
		...common,
		title: `Order ${order}: blocks of ${bytes(2 ** order * model.results[0].page_bytes)}`,
		unit: unit.name,
		tick: (v) => short(v / unit.scale),
		steps: bytesSteps(unit.scale),
		values: (s) => freeBytes(s, order, state.zone),
		shared: () => (state.sameScale ? largest() : undefined),
	};
}

export function unusableCharts(slot, model) {
	setFullRange(model.end);
	slot.append(element('div', 'controls', legend(model), zoneSelect(model), zoomButton()));
	const grid = element('div', 'grid wide');
	slot.append(grid);
	const events = pressure(model);
	if (events.marks.length || events.spans.length) grid.before(pressureLegend(events));
	const known = [...new Set(model.series.flatMap((s) => Object.keys(s.unusable)))].map(Number).sort((a, b) => a - b);
	follow(known.map((order) => addChart(grid, {
		title: `Order ${order}: unusable for a ${bytes(2 ** order * model.results[0].page_bytes)} request`,
		unit: '% of free memory',
		series: model.series,
		...events,
		values: (s) => unusablePercent(s, order, model.orders, state.zone),
		format: percent,
		tick: (v) => `${Number(v.toPrecision(3))} %`,
		height: 210,
		least: 5,
		ceiling: 100,
	})));
}

export function slabCharts(slot, model) {
	setFullRange(model.end);
	const names = [];
	for (const result of model.results)
		for (const cache of result.slabs) if (!names.includes(cache.name)) names.push(cache.name);
	const grid = element('div', 'grid');
	slot.append(element('p', 'remark', `The ${Math.min(names.length, 12)} caches whose memory moved most, the one that moved most first; objects relative to the start, as followed through the trace.`), grid);
	const observed = model.series.filter((s, i, list) => list.findIndex((x) => x.result === s.result) === i);
	for (const name of names.slice(0, 12)) {
		addChart(grid, {
			title: name,
			unit: 'objects since the start',
			series: observed.map((s) => ({
				...s,
				label: model.results.length > 1 ? s.result.label : 'kernel, from the trace',
				kind: 'line',
				dash: [],
				time: seconds(s.result.time_ns),
				visible: true,
			})),
			values: (s) => s.result.slabs.find((c) => c.name === name)?.live ?? null,
			format: change,
			tick: short,
			height: 130,
			least: 1,
		});
	}
}

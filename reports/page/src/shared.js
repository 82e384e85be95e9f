// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// shared.js - what all charts have in common: the time that is pointed at, the
// stretch of time that is looked at, and the tip beside the pointer.
const range = { min: 0, max: 1 };
const rangeListeners = [];
const cursorListeners = [];
let full = { min: 0, max: 1 };

export const timeRange = range;

export function onRange(f) {
	rangeListeners.push(f);
}

export function setFullRange(end) {
	full = { min: 0, max: end || 1 };
	Object.assign(range, full);
}

let telling = false;

export function setRange(min, max) {
	if (telling || (min === range.min && max === range.max)) return;
	range.min = Math.max(min, full.min);
	range.max = Math.min(max, full.max);
	telling = true;
	for (const f of rangeListeners) f();
	telling = false;
}

export const resetRange = () => setRange(full.min, full.max);
export const isZoomed = () => range.min !== full.min || range.max !== full.max;

export function onCursor(f) {
	cursorListeners.push(f);
}

// `time` is null when nothing is pointed at; `from` is not told again.
export function setCursor(time, from) {
	if (telling) return;
	telling = true;
	for (const f of cursorListeners) f(time, from);
	telling = false;
}

let tip = null;

export function hideTip() {
	if (tip) tip.hidden = true;
}

// `lines`: [{swatch, label, value}]; x and y in the viewport.
export function showTip(x, y, title, lines) {
	if (!tip) {
		tip = document.createElement('div');
		tip.className = 'tip';
		tip.setAttribute('role', 'status');
		document.body.append(tip);
	}
	const head = document.createElement('div');
	head.className = 'tip-title';
	head.textContent = title;
	const list = document.createElement('dl');
	for (const line of lines) {
		const dt = document.createElement('dt');
		const dd = document.createElement('dd');
		if (line.swatch) dt.append(line.swatch);
		dt.append(line.label);
		dd.textContent = line.value;
		list.append(dt, dd);
	}
	tip.replaceChildren(head, list);
	tip.hidden = false;
	const box = tip.getBoundingClientRect();
	const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
	const top = y + 16 + box.height > innerHeight ? y - 16 - box.height : y + 16;
	tip.style.left = `${Math.max(4, left)}px`;
	tip.style.top = `${Math.max(4, top)}px`;
}

const SVG = 'http://www.w3.org/2000/svg';

// The line or point of a series, as it looks in the chart.
export function swatch(series) {
	const svg = document.createElementNS(SVG, 'svg');
	const mark = document.createElementNS(SVG, series.kind === 'points' ? 'circle' : 'line');
	const set = (e, attributes) => {
		for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
	};
	set(svg, { class: 'swatch', viewBox: '0 0 26 10', width: 26, height: 10, 'aria-hidden': 'true' });
	if (series.kind === 'points') set(mark, { cx: 13, cy: 5, r: 3.2, fill: 'none', 'stroke-width': 1.5 });
	else set(mark, { x1: 1, y1: 5, x2: 25, y2: 5, 'stroke-width': 2.2, 'stroke-dasharray': series.dash.join(' ') });
	mark.style.stroke = `var(${series.hue})`;
	svg.append(mark);
	return svg;
}

// Round numbers from `min` to `max`, about `n` of them.
export function ticks(min, max, n) {
	const raw = (max - min) / n;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
	const list = [];
	for (let t = Math.ceil(min / step) * step; t <= max + step / 1e6; t += step) list.push(t);
	return list;
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// heat.js - how long things took, over time: columns are stretches of time, rows ranges of
// length, strength how many. One hue a map, so that it needs no sense for colours.
import { colour, onTheme } from './theme.js';
import { count, duration, time } from './metric.js';
import { contextOf, drawCursorLine, followCursor, letGo, pointerIn } from './canvas.js';
import { onRange, resetRange, setCursor, setRange, showTip, ticks, timeRange } from './shared.js';

const LEFT = 58; // as wide as the charts' axis, so that times line up
const RIGHT = 18;
const TOP = 4;
const BOTTOM = 26;
const FAINTEST = 0.18;
const PER_ROW = 2; // of four buckets to a power of two

// The number of the bucket that begins at `ns`; see include/kmemlab/latency.h.
function bucketOf(ns) {
	if (ns < 4) return ns;
	const e = Math.floor(Math.log2(ns));
	return 4 * (e - 1) + (Math.floor(ns / 2 ** (e - 2)) & 3);
}

const floorOf = (bucket) => (bucket < 4 ? bucket : (4 + (bucket % 4)) * 2 ** (Math.floor(bucket / 4) - 1));

// Cells by column and row, and the rows that are used.
function gridOf(heat) {
	const cells = new Map();
	let low = Infinity, high = 0, most = 0;
	for (const [column, ns, n] of heat.cells) {
		const row = Math.floor(bucketOf(ns) / PER_ROW);
		const key = column * 256 + row;
		cells.set(key, (cells.get(key) ?? 0) + n);
		most = Math.max(most, cells.get(key));
		low = Math.min(low, row);
		high = Math.max(high, row);
	}
	return { cells, low: Math.max(0, low - 1), high: high + 1, most };
}

const box = (map) => ({ x: LEFT, y: TOP, w: map.canvas.clientWidth - LEFT - RIGHT, h: map.height - TOP - BOTTOM });
const rowsOf = (map) => map.grid.high - map.grid.low + 1;
const xOf = (map, s) => box(map).x + (box(map).w * (s - timeRange.min)) / (timeRange.max - timeRange.min);
const timeAt = (map, x) => timeRange.min + ((timeRange.max - timeRange.min) * (x - box(map).x)) / box(map).w;
const shade = (map, n) => FAINTEST + ((1 - FAINTEST) * Math.log(1 + n)) / Math.log(1 + map.grid.most);

function drawCells(map, context) {
	const b = box(map);
	const width = map.heat.column_ns / 1e9;
	const h = b.h / rowsOf(map);
	context.save();
	context.beginPath();
	context.rect(b.x, b.y, b.w, b.h);
	context.clip();
	context.fillStyle = colour(map.hue);
	for (const [key, n] of map.grid.cells) {
		const column = Math.floor(key / 256);
		const from = xOf(map, column * width);
		const to = xOf(map, (column + 1) * width);
		if (to < b.x || from > b.x + b.w) continue;
		context.globalAlpha = shade(map, n);
		context.fillRect(from, b.y + b.h - ((key % 256) - map.grid.low + 1) * h, Math.max(to - from, 2), h + 0.5);
	}
	context.restore();
}

function drawAxes(map, context) {
	const b = box(map);
	const h = b.h / rowsOf(map);
	context.strokeStyle = colour('--grid');
	context.strokeRect(b.x + 0.5, b.y + 0.5, b.w - 1, b.h - 1);
	context.fillStyle = colour('--muted');
	context.font = '11px system-ui, sans-serif';
	context.textAlign = 'right';
	context.textBaseline = 'middle';
	let last = Infinity;
	for (let row = map.grid.low; row <= map.grid.high; row++) {
		const ns = floorOf(row * PER_ROW);
		const y = b.y + b.h - (row - map.grid.low) * h;
		if (ns < 1 || !Number.isInteger(Math.log2(ns)) || last - y < 18) continue;
		context.fillText(duration(ns), b.x - 6, y);
		last = y;
	}
	context.textAlign = 'center';
	context.textBaseline = 'top';
	for (const t of ticks(timeRange.min, timeRange.max, Math.max(2, b.w / 90)))
		context.fillText(`${Number(t.toPrecision(6))} s`, xOf(map, t), b.y + b.h + 8);
}

function drawCursor(map, context) {
	if (map.cursor === null || map.cursor < timeRange.min || map.cursor > timeRange.max) return;
	const b = box(map);
	const x = drawCursorLine(context, b, xOf(map, map.cursor));
	if (map.row === null) return;
	const h = b.h / rowsOf(map);
	context.strokeRect(x - 5, b.y + b.h - (map.row - map.grid.low + 1) * h, 10, h);
}

function draw(map) {
	const context = contextOf(map);
	if (!context) return;
	drawCells(map, context);
	drawAxes(map, context);
	drawCursor(map, context);
}

function describe(map, x, y) {
	const width = map.heat.column_ns / 1e9;
	const column = Math.floor(map.cursor / width);
	const n = map.grid.cells.get(column * 256 + map.row) ?? 0;
	let all = 0;
	for (let row = map.grid.low; row <= map.grid.high; row++) all += map.grid.cells.get(column * 256 + row) ?? 0;
	showTip(x, y, `${map.title}, ${time(column * width)} to ${time((column + 1) * width)}`, [
		{ label: 'took', value: `${duration(floorOf(map.row * PER_ROW))} to ${duration(floorOf((map.row + 1) * PER_ROW))}` },
		{ label: map.unit, value: `${map.estimated && n ? 'about ' : ''}${count(n)}` },
		{ label: 'of any length', value: count(all) },
	]);
}

function point(map, t, row, x, y) {
	map.cursor = Math.max(timeRange.min, Math.min(timeRange.max, t));
	map.row = Math.max(map.grid.low, Math.min(map.grid.high, row));
	draw(map);
	describe(map, x, y);
	setCursor(map.cursor, map);
}

function leave(map) {
	map.from = null;
	letGo(map, draw);
}

function onMouse(map, e) {
	const b = box(map);
	const at = pointerIn(map, b, e);
	if (!at) return leave(map);
	point(map, timeAt(map, at.x), map.grid.low + Math.floor(((b.y + b.h - at.y) / b.h) * rowsOf(map)), e.clientX, e.clientY);
}

function onKey(map, e) {
	const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
	if (e.key === 'Escape') {
		resetRange();
		leave(map);
	}
	if (!move) return;
	e.preventDefault();
	const width = map.heat.column_ns / 1e9;
	const column = map.cursor === null ? 0 : Math.floor(map.cursor / width) + move[0];
	const t = (Math.max(0, Math.min(map.heat.columns - 1, column)) + 0.5) * width;
	const at = map.canvas.getBoundingClientRect();
	point(map, t, (map.row ?? map.grid.low) + move[1], at.left + xOf(map, t), at.top + map.height / 2);
}

function listen(map) {
	const { canvas } = map;
	canvas.addEventListener('mousemove', (e) => onMouse(map, e));
	canvas.addEventListener('mouseleave', () => leave(map));
	canvas.addEventListener('blur', () => leave(map));
	canvas.addEventListener('dblclick', resetRange);
	canvas.addEventListener('keydown', (e) => onKey(map, e));
	canvas.addEventListener('mousedown', (e) => (map.from = e.clientX));
	canvas.addEventListener('mouseup', (e) => {
		const left = canvas.getBoundingClientRect().left;
		const [from, to] = [map.from, e.clientX].sort((p, q) => p - q);
		if (map.from !== null && to - from > 4) setRange(timeAt(map, from - left), timeAt(map, to - left));
		map.from = null;
	});
}

/*
 * map: {title, unit (what is counted), heat (a grid of the result), hue, estimated}
 */
export function addHeat(parent, map) {
	const figure = document.createElement('figure');
	const caption = document.createElement('figcaption');
	const unit = document.createElement('span');
	Object.assign(map, { cursor: null, row: null, from: null, grid: gridOf(map.heat) });
	map.height = Math.round(Math.max(90, Math.min(240, rowsOf(map) * 9))) + TOP + BOTTOM;
	figure.className = 'chart map heat';
	caption.textContent = map.title;
	unit.className = 'unit';
	unit.textContent = `length over time; faint: one of the ${map.unit}, strong: ${count(map.grid.most)}${map.estimated ? ', estimated from the calls that were kept' : ''}`;
	caption.append(unit);
	map.canvas = document.createElement('canvas');
	map.canvas.tabIndex = 0;
	map.canvas.setAttribute('role', 'img');
	map.canvas.setAttribute('aria-label', `${map.title}: how many took how long, over time. Arrow keys move, values are read out, Escape resets.`);
	map.canvas.style.height = `${map.height}px`;
	figure.append(caption, map.canvas);
	parent.append(figure);
	onTheme(() => draw(map));
	onRange(() => draw(map));
	followCursor(map, draw);
	new ResizeObserver(() => draw(map)).observe(map.canvas);
	listen(map);
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// map.js - physical memory over time as a picture: rows are stretches of
// memory, lowest address at the bottom, columns are moments. Hue is the migrate
// type, strength the share of pages in use.
import { colour, onTheme } from './theme.js';
import { hideTip, onCursor, onRange, setCursor, setFullRange, setRange, showTip, timeRange } from './shared.js';
import { zoneKey } from './data.js';
import { bytes, time } from './metric.js';

// By name: a type's number depends on the kernel's configuration.
const TYPES = [
	{ name: 'unmovable', hue: '--c-vermillion' },
	{ name: 'movable', hue: '--c-blue' },
	{ name: 'reclaimable', hue: '--c-green' },
	{ name: 'highatomic', hue: '--c-yellow' },
	{ name: 'cma', hue: '--c-purple' },
	{ name: 'isolate', hue: '--c-orange' },
	{ name: 'unknown', hue: '--muted' },
];
const UNKNOWN = TYPES.length - 1;
const LEFT = 58; // as wide as the charts' axis, so that times line up
const RIGHT = 18;
const BOTTOM = 26;
const FAINTEST = 0.14;

const USUAL = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'CMA', 'Isolate'];

// Number of a type on this host -> index in TYPES.
function typeIndex(names, number) {
	const name = (names ?? USUAL)[number]?.toLowerCase();
	const i = TYPES.findIndex((t) => t.name === name);
	return i < 0 ? UNKNOWN : i;
}

function rgb(text) {
	const n = parseInt(text.slice(1), 16);
	return [n >> 16, (n >> 8) & 255, n & 255];
}

function mix(back, hue, share) {
	return back.map((b, i) => Math.round(b + (hue[i] - b) * share));
}

// One pixel per row and column; scaled when drawn.
function picture({ zone, rows, names, times }) {
	const columns = times.length;
	const canvas = document.createElement('canvas');
	canvas.width = columns;
	canvas.height = rows.length;
	const context = canvas.getContext('2d');
	const image = context.createImageData(columns, rows.length);
	const back = rgb(colour('--surface'));
	const hues = [...Array(16).keys()].map((n) => rgb(colour(TYPES[typeIndex(names, n)].hue)));
	rows.forEach((row, i) => {
		for (let c = 0; c < columns; c++) {
			const type = zone.type[row][c];
			const used = zone.used[row][c];
			const hue = hues[type] ?? back;
			const known = type != null && type >= 0 && used != null;
			const pixel = known ? mix(back, hue, FAINTEST + ((1 - FAINTEST) * used) / 100) : back;
			const at = 4 * ((rows.length - 1 - i) * columns + c);
			image.data.set([...pixel, 255], at);
		}
	});
	context.putImageData(image, 0, 0);
	return canvas;
}

function box(map) {
	return { x: LEFT, y: 4, w: map.canvas.clientWidth - LEFT - RIGHT, h: map.height - 4 - BOTTOM };
}

const xOf = (map, t) => {
	const b = box(map);
	return b.x + (b.w * (t - timeRange.min)) / (timeRange.max - timeRange.min);
};

function timeAt(map, x) {
	const b = box(map);
	return timeRange.min + ((timeRange.max - timeRange.min) * (x - b.x)) / b.w;
}

// A column was taken at the end of the stretch of time it stands for.
function columnAt(map, t) {
	const c = map.times.findIndex((end) => t <= end);
	return c < 0 ? map.times.length - 1 : c;
}

// Rows that hold memory at some time; a zone may span much that does not.
function rowsWithMemory(zone) {
	return [...zone.type.keys()].filter((row) => zone.type[row].some((type) => type >= 0));
}

function drawPicture(map, context) {
	const b = box(map);
	context.save();
	context.beginPath();
	context.rect(b.x, b.y, b.w, b.h);
	context.clip();
	context.imageSmoothingEnabled = false;
	map.times.forEach((t, c) => {
		const from = c ? xOf(map, map.times[c - 1]) : Math.min(b.x, xOf(map, 0));
		const to = c + 1 < map.times.length ? xOf(map, t) : b.x + b.w;
		if (to > b.x && from < b.x + b.w)
			context.drawImage(map.image, c, 0, 1, map.image.height, from, b.y, to - from + 0.5, b.h);
	});
	context.restore();
}

function ticks(min, max, n) {
	const raw = (max - min) / n;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
	const list = [];
	for (let t = Math.ceil(min / step) * step; t <= max + step / 1e6; t += step) list.push(t);
	return list;
}

function drawAxes(map, context) {
	const b = box(map);
	const { zone, page } = map;
	context.strokeStyle = colour('--grid');
	context.strokeRect(b.x + 0.5, b.y + 0.5, b.w - 1, b.h - 1);
	context.fillStyle = colour('--muted');
	context.font = '11px system-ui, sans-serif';
	context.textAlign = 'center';
	context.textBaseline = 'top';
	for (const t of ticks(timeRange.min, timeRange.max, Math.max(2, b.w / 90)))
		context.fillText(`${Number(t.toPrecision(6))} s`, xOf(map, t), b.y + b.h + 8);
	context.textAlign = 'right';
	const address = (row) => (zone.start_pfn + row * zone.pages_per_row) * page;
	const from = address(map.rows[0]);
	const to = address(map.rows[map.rows.length - 1] + 1);
	context.fillText(bytes(to), b.x - 6, b.y);
	context.textBaseline = 'bottom';
	if (b.h > 30) context.fillText(bytes(from), b.x - 6, b.y + b.h);
}

function drawCursor(map, context) {
	if (map.cursor === null || map.cursor < timeRange.min || map.cursor > timeRange.max) return;
	const b = box(map);
	const x = Math.round(xOf(map, map.cursor)) + 0.5;
	context.strokeStyle = colour('--text');
	context.setLineDash([3, 3]);
	context.beginPath();
	context.moveTo(x, b.y);
	context.lineTo(x, b.y + b.h);
	context.stroke();
	context.setLineDash([]);
	if (map.row === null) return;
	const h = b.h / map.rows.length;
	context.strokeRect(x - 5, b.y + b.h - (map.row + 1) * h - 1, 10, h + 2);
}

function draw(map) {
	const ratio = devicePixelRatio || 1;
	const width = map.canvas.clientWidth;
	if (!width) return;
	map.canvas.width = Math.round(width * ratio);
	map.canvas.height = Math.round(map.height * ratio);
	const context = map.canvas.getContext('2d');
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	drawPicture(map, context);
	drawAxes(map, context);
	drawCursor(map, context);
}

function describe(map, x, y) {
	const { zone, page } = map;
	const c = columnAt(map, map.cursor);
	const row = map.rows[map.row];
	const pfn = zone.start_pfn + row * zone.pages_per_row;
	const online = zone.type[row][c] >= 0;
	showTip(x, y, `${map.title}, at ${time(map.cursor)}`, [
		{ label: 'address', value: `${bytes(pfn * page)} to ${bytes((pfn + zone.pages_per_row) * page)}` },
		{ label: 'frames', value: `${pfn} to ${pfn + zone.pages_per_row - 1}` },
		{ label: 'type', value: online ? TYPES[typeIndex(map.names, zone.type[row][c])].name : 'no memory, or not online' },
		{ label: 'used', value: online && zone.used[row][c] != null ? `${zone.used[row][c]} %` : 'unknown' },
	]);
}

function point(map, t, row, x, y) {
	const rows = map.rows.length;
	map.cursor = Math.max(timeRange.min, Math.min(timeRange.max, t));
	map.row = Math.max(0, Math.min(rows - 1, row));
	draw(map);
	describe(map, x, y);
	setCursor(map.cursor, map);
}

function leave(map) {
	map.cursor = map.row = null;
	hideTip();
	draw(map);
	setCursor(null, map);
}

function onMouse(map, e) {
	const b = box(map);
	const at = map.canvas.getBoundingClientRect();
	const x = e.clientX - at.left;
	const y = e.clientY - at.top;
	if (x < b.x || x > b.x + b.w || y < b.y || y > b.y + b.h) return leave(map);
	point(map, timeAt(map, x), Math.floor(((b.y + b.h - y) / b.h) * map.rows.length), e.clientX, e.clientY);
}

function onKey(map, e) {
	const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
	if (e.key === 'Escape') leave(map);
	if (!move) return;
	e.preventDefault();
	const c = map.cursor === null ? 0 : columnAt(map, map.cursor) + move[0];
	const t = map.times[Math.max(0, Math.min(map.times.length - 1, c))];
	const at = map.canvas.getBoundingClientRect();
	point(map, t, (map.row ?? 0) + move[1], at.left + xOf(map, t), at.top + map.height / 2);
}

function addMap(parent, map) {
	const figure = document.createElement('figure');
	const caption = document.createElement('figcaption');
	const unit = document.createElement('span');
	figure.className = 'chart map';
	caption.textContent = map.title;
	unit.className = 'unit';
	const hidden = map.zone.type.length - map.rows.length;
	const row = bytes(map.zone.pages_per_row * map.page);
	unit.textContent = `physical address; a row is ${row}${hidden ? `; ${hidden} rows without memory left out` : ''}`;
	caption.append(unit);
	map.canvas = document.createElement('canvas');
	map.canvas.tabIndex = 0;
	map.canvas.setAttribute('role', 'img');
	map.canvas.setAttribute('aria-label', `${map.title}: pageblock types and occupancy over time. Arrow keys move, values are read out.`);
	map.canvas.style.height = `${map.height}px`;
	figure.append(caption, map.canvas);
	parent.append(figure);
	const paint = () => {
		map.image = picture(map);
		draw(map);
	};
	onTheme(paint);
	onRange(() => draw(map));
	onCursor((t, from) => {
		if (from === map) return;
		map.cursor = t;
		map.row = null;
		draw(map);
	});
	new ResizeObserver(() => (map.image ? draw(map) : paint())).observe(map.canvas);
	map.canvas.addEventListener('mousemove', (e) => onMouse(map, e));
	map.canvas.addEventListener('mouseleave', () => leave(map));
	map.canvas.addEventListener('blur', () => leave(map));
	map.canvas.addEventListener('dblclick', () => setRange(0, Infinity));
	map.canvas.addEventListener('keydown', (e) => onKey(map, e));
}

function legend(results) {
	const list = document.createElement('ul');
	list.className = 'map-legend';
	const used = new Set();
	for (const result of results)
		for (const zone of result.pageblocks.zones)
			for (const row of zone.type)
				for (const number of row) if (number >= 0) used.add(TYPES[typeIndex(result.migratetypes, number)]);
	for (const type of TYPES) {
		if (!used.has(type)) continue;
		const item = document.createElement('li');
		const ramp = document.createElement('span');
		ramp.className = 'ramp';
		ramp.style.background = `linear-gradient(90deg, color-mix(in srgb, var(${type.hue}) ${100 * FAINTEST}%, var(--surface)), var(${type.hue}))`;
		item.append(ramp, type.name);
		list.append(item);
	}
	const note = document.createElement('li');
	note.className = 'unit';
	note.textContent = 'faint: free, strong: all pages used';
	list.append(note);
	return list;
}

export function mapCharts(slot, model) {
	setFullRange(model.end);
	const mapped = model.results.filter((r) => r.pageblocks?.time_ns.length);
	slot.append(legend(mapped));
	for (const result of mapped) {
		for (const zone of result.pageblocks.zones) {
			const rows = rowsWithMemory(zone);
			if (!rows.length) continue;
			const name = result.zones[zone.zone] ? zoneKey(result.zones[zone.zone]) : 'unknown zone';
			addMap(slot, {
				title: model.results.length > 1 ? `${result.label}: ${name}` : name,
				zone,
				rows,
				names: result.migratetypes,
				times: result.pageblocks.time_ns.map((t) => t / 1e9),
				page: result.page_bytes,
				height: Math.round(Math.max(18, Math.min(300, rows.length * 5))) + 4 + BOTTOM,
				cursor: null,
				row: null,
			});
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// chart.js - one chart: uPlot with this page's looks, keyboard and tip. Charts over time
// share it: what is pointed at, and the stretch that is looked at.
import uPlot from 'uplot';
import { colour, onTheme } from './theme.js';
import { hideTip, onCursor, onRange, setCursor, setRange, resetRange, showTip, swatch, timeRange } from './shared.js';
import { time } from './metric.js';

const FONT = '11px system-ui, sans-serif';

// Nearest index at which the series has a value: the axes of runs differ.
function nearest(u, series, i) {
	const values = u.data[series];
	for (let d = 0; d < values.length; d++) {
		if (values[i - d] != null) return i - d;
		if (values[i + d] != null) return i + d;
	}
	return i;
}

// Hollow, and small where there are many: the lines under them are the subject.
function pointOptions(n, stroke) {
	const crowded = n > 40;
	return { show: true, size: crowded ? 3.5 : n > 20 ? 4 : 6, width: crowded ? 0 : 1.2, stroke, fill: crowded ? stroke : 'transparent' };
}

function lineOptions(s, format) {
	const stroke = colour(s.hue);
	const points = s.kind === 'points';
	return {
		label: s.label,
		show: s.visible,
		stroke,
		width: points ? 0 : 1.8,
		dash: s.dash,
		paths: points ? () => null : s.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
		points: points ? pointOptions(s.time.length, stroke) : { show: false },
		value: (u, v) => (v == null ? '-' : format(v)),
	};
}

const labelled = (f) => (t) => (t == null ? '' : f(t));

const all = (u, splits) => splits;

// Powers of ten, as many of them as there is room for.
function powers(space) {
	return (u, axis, min, max) => {
		const first = Math.ceil(Math.log10(min) - 1e-9);
		const last = Math.floor(Math.log10(max) + 1e-9);
		const room = axis === 0 ? u.bbox.width : u.bbox.height;
		const step = Math.max(1, Math.ceil(((last - first) * space * devicePixelRatio) / Math.max(room, 1)));
		const list = [];
		for (let p = first; p <= last; p += step) list.push(10 ** p);
		return list;
	};
}

function axes(chart) {
	const grid = { stroke: colour('--grid'), width: 1 };
	const common = { stroke: colour('--muted'), font: FONT, labelFont: FONT, grid, ticks: { ...grid, size: 4 } };
	return [
		{ ...common, size: 32, space: 60, ...(chart.x && { splits: powers(60), filter: all }), values: (u, ticks) => ticks.map(labelled(chart.x?.tick ?? ((t) => `${Number(t.toPrecision(6))} s`))) },
		{ ...common, size: chart.logY ? 68 : 58, space: 28, ...(chart.logY && { splits: powers(24), filter: all }), ...(chart.steps && { incrs: chart.steps }), values: (u, ticks) => ticks.map(labelled(chart.tick)) },
	];
}

// Whole decades around what is there, with room for rows of marks above.
const decades = (u, min, max) => (min > 0 ? [10 ** Math.floor(Math.log10(min)), 10 ** Math.ceil(Math.log10(max * 4))] : [1, 10]);

function yRange(chart) {
	if (chart.logY) return chart.yRange ?? decades;
	return (u, min, max) => {
		if (min == null) return [0, 1];
		const most = Math.max(chart.least ?? 0, chart.shared?.() ?? max);
		if (chart.signed) {
			const reach = Math.max(chart.least ?? 0, Math.abs(min), Math.abs(max)) * 1.08 || 1;
			return [-reach, reach];
		}
		const low = Math.min(0, min);
		return [low < 0 ? low * 1.08 : 0, most > 0 ? Math.min(most * 1.08, chart.ceiling ?? Infinity) : 1];
	};
}

// Data of all series on one time axis: [time, values...].
function join(chart) {
	const tables = chart.series.map((s) => {
		const values = chart.values(s);
		return values ? [s.time, values] : null;
	});
	const some = tables.filter(Boolean);
	if (!some.length) return [[0], ...chart.series.map(() => [null])];
	const joined = uPlot.join(some);
	let next = 1;
	return [joined[0], ...tables.map((t) => (t ? joined[next++] : joined[0].map(() => null)))];
}

function tipLines(chart, u) {
	return chart.series.flatMap((s, i) => {
		const at = u.cursor.idxs?.[i + 1];
		const v = at == null ? null : u.data[i + 1][at];
		return s.visible && v != null ? [{ swatch: swatch(s), label: s.label, value: chart.format(v) }] : [];
	});
}

// Marks beside the cursor, a line for each kind.
function markLines(chart, u, at) {
	const near = (u.scales.x.max - u.scales.x.min) / u.over.clientWidth * 4;
	const counts = new Map();
	for (const m of [...(chart.marks ?? []), ...(chart.spans ?? [])])
		if ((m.from ?? m.at) - near <= at && at <= (m.to ?? m.at) + near) counts.set(m.label, [...(counts.get(m.label) ?? []), m]);
	return [...counts].map(([label, list]) => ({
		swatch: swatch({ ...list[0], kind: 'line', dash: [] }),
		label,
		value: list.length === 1 ? list[0].value ?? '' : list.some((m) => m.n) ? `${list.reduce((sum, m) => sum + (m.n ?? 1), 0)}` : `${list.length}`,
	}));
}

function strip(u, hue, from, to, top, height) {
	const left = u.valToPos(Math.max(from, u.scales.x.min), 'x', true);
	const right = u.valToPos(Math.min(to, u.scales.x.max), 'x', true);
	if (to < u.scales.x.min || from > u.scales.x.max) return;
	u.ctx.fillStyle = colour(hue);
	u.ctx.fillRect(left, top, Math.max(right - left, 1.5 * devicePixelRatio), height);
}

const MARK_HEIGHT = 7;

const markRows = (chart) => Math.max(0, ...[...(chart.marks ?? []), ...(chart.spans ?? [])].map((m) => m.row + 1));

// In rows above the lines, which they must not hide.
function drawMarks(chart, u) {
	const size = (MARK_HEIGHT + 1) * devicePixelRatio;
	const top = u.bbox.top - markRows(chart) * size;
	u.ctx.save();
	for (const s of chart.spans ?? []) strip(u, s.hue, s.from, s.to, top + s.row * size, size - devicePixelRatio);
	for (const m of chart.marks ?? []) strip(u, m.hue, m.at, m.at, top + m.row * size, size - devicePixelRatio);
	if (chart.signed) {
		const y = Math.round(u.valToPos(0, 'y', true));
		u.ctx.fillStyle = colour('--muted');
		u.ctx.fillRect(u.bbox.left, y, u.bbox.width, devicePixelRatio);
	}
	u.ctx.restore();
}

function tell(chart, u, x, y) {
	const at = u.posToVal(u.cursor.left, 'x');
	showTip(x, y, `${chart.title}, at ${(chart.x?.format ?? time)(at)}`, [...tipLines(chart, u), ...markLines(chart, u, at)]);
	if (!chart.x) setCursor(at, chart);
}

function listen(chart, element) {
	const over = () => chart.plot.over;
	element.addEventListener('mousemove', (e) => {
		if (e.target === over() && chart.plot.cursor.left >= 0) tell(chart, chart.plot, e.clientX, e.clientY);
	});
	element.addEventListener('mouseleave', () => leave(chart));
	element.addEventListener('blur', () => leave(chart));
	element.addEventListener('dblclick', resetRange);
	element.addEventListener('keydown', (e) => {
		const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
		if (e.key === 'Escape') {
			resetRange();
			leave(chart);
		}
		if (step) {
			e.preventDefault();
			moveBy(chart, step * (e.shiftKey ? 10 : 1));
		}
	});
}

function leave(chart) {
	hideTip();
	if (!chart.x) setCursor(null, chart);
	chart.plot.setCursor({ left: -10, top: -10 }, false);
}

function moveBy(chart, step) {
	const u = chart.plot;
	const now = u.cursor.idx ?? (step > 0 ? -1 : u.data[0].length);
	const idx = Math.max(0, Math.min(u.data[0].length - 1, now + step));
	const left = u.valToPos(u.data[0][idx], 'x');
	u.setCursor({ left, top: u.over.clientHeight / 2 }, false);
	const box = u.over.getBoundingClientRect();
	tell(chart, u, box.left + left, box.top + box.height / 2);
}

function pointAt(chart, at) {
	const left = at === null ? -10 : chart.plot.valToPos(at, 'x');
	chart.plot.setCursor({ left, top: at === null ? -10 : 0 }, false);
}

const heightOf = (chart) => chart.height + markRows(chart) * (MARK_HEIGHT + 1);

function create(chart) {
	chart.plot?.destroy();
	chart.plot = new uPlot({
		width: Math.max(chart.element.clientWidth, 120),
		height: heightOf(chart),
		padding: [8 + markRows(chart) * (MARK_HEIGHT + 1), chart.x ? 28 : 18, 0, 0],
		legend: { show: false },
		cursor: {
			y: false,
			points: { size: 6, width: 0, fill: (u, i) => colour(chart.series[i - 1].hue) },
			dataIdx: nearest,
			drag: { x: !chart.x, y: false, setScale: false },
		},
		select: { show: true },
		scales: {
			x: chart.x ? { time: false, distr: 3, range: () => chart.x.range } : { time: false, range: () => [timeRange.min, timeRange.max] },
			y: { distr: chart.logY ? 3 : 1, range: yRange(chart) },
		},
		axes: axes(chart),
		series: [{}, ...chart.series.map((s) => lineOptions(s, chart.format))],
		hooks: {
			draw: [(u) => drawMarks(chart, u)],
			setSelect: [(u) => {
				if (u.select.width < 4) return;
				const from = u.posToVal(u.select.left, 'x');
				const to = u.posToVal(u.select.left + u.select.width, 'x');
				u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
				setRange(from, to);
			}],
		},
	}, join(chart), chart.element);
}

// Waits with drawing until the chart is near the viewport: reports are long.
const watcher = new IntersectionObserver((entries) => {
	for (const e of entries) {
		if (!e.isIntersecting) continue;
		watcher.unobserve(e.target);
		e.target.chart.show();
	}
}, { rootMargin: '600px' });

/*
 * chart: {title, series, values(series) -> numbers or null, format, tick,
 *         steps, height, least, ceiling, shared() -> common maximum or undefined,
 *         marks: [{at, hue, row, label, value}], spans: [{from, to, hue, row}],
 *         logY, yRange: [low, high]; x: {range, tick, format}: not time, logarithmic}
 * Returns it with element, refresh() and setVisible().
 */
export function addChart(parent, chart) {
	const figure = document.createElement('figure');
	const caption = document.createElement('figcaption');
	chart.element = document.createElement('div');
	chart.element.className = 'plot';
	chart.element.tabIndex = 0;
	chart.element.setAttribute('role', 'group');
	chart.element.setAttribute('aria-label', `${chart.title}, ${chart.unit}${chart.x ? '' : ' over time'}. Arrow keys move the cursor, Escape resets.`);
	caption.textContent = chart.title;
	const unit = document.createElement('span');
	unit.className = 'unit';
	unit.textContent = chart.unit;
	caption.append(unit);
	figure.className = 'chart';
	figure.append(caption, chart.element);
	parent.append(figure);

	chart.element.style.minHeight = `${heightOf(chart)}px`;
	chart.element.chart = chart;
	chart.show = () => {
		create(chart);
		if (chart.shown) return;
		chart.shown = true;
		listen(chart, chart.element);
		onTheme(() => create(chart));
		if (!chart.x) {
			onRange(() => chart.plot.setData(chart.plot.data));
			onCursor((at, from) => from !== chart && pointAt(chart, at));
		}
		new ResizeObserver(() => {
			const width = chart.element.clientWidth;
			if (width && width !== chart.plot.width) chart.plot.setSize({ width, height: heightOf(chart) });
		}).observe(chart.element);
	};
	chart.refresh = () => chart.shown && chart.plot.setData(join(chart));
	chart.restyle = () => chart.shown && create(chart);
	watcher.observe(chart.element);
	return chart;
}

// Before printing everything must be there.
addEventListener('beforeprint', () => {
	for (const element of document.querySelectorAll('.plot')) if (!element.chart.shown) element.chart.show();
});

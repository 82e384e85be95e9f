// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// comparison.js - groups against a base, measure by measure: a dot is a median, a bar
// the range of a group's runs, the line in the middle the base.
import { hideTip, showTip } from './shared.js';

const HUES = ['--c-blue', '--c-vermillion', '--c-green', '--c-purple', '--c-orange', '--c-sky', '--c-yellow'];
const SHAPES = ['round', 'square', 'diamond', 'hollow'];
const LEAST_REACH = 10;
// Names on the axis: percent of its width from one's middle to the next one's.
const leastApart = () => (matchMedia('(max-width: 40rem)').matches ? 22 : 12);

const number = (v, unit) => `${Number.isInteger(v) ? v.toLocaleString('en-US') : v.toFixed(1)}${unit ? ` ${unit}` : ''}`;
const signed = (v, unit) => `${v > 0 ? '+' : ''}${number(v, unit)}`;

// Small changes are told apart, large ones still fit.
function scaleOf(reach) {
	const most = Math.asinh(reach);
	return (v) => 50 + 50 * Math.max(-1, Math.min(1, Math.asinh(v) / most));
}

function ticksOf(reach) {
	const list = [0];
	for (let v = reach > 1000 ? 10 : 1; v <= reach; v *= 10) list.push(v, -v);
	return list;
}

function element(tag, className, text) {
	const e = document.createElement(tag);
	e.className = className;
	if (text !== undefined) e.textContent = text;
	return e;
}

// What a change is in the chart: points of a share, else percent of the base.
function changeOf(figure, points) {
	return points ? figure.change : figure.change_percent;
}

function tell(measure, figure, base, points, x, y) {
	const change = figure.change === 0 ? 'the same' : `${signed(figure.change, points ? 'points' : measure.unit)}${points || figure.change_percent === undefined ? '' : ` (${signed(figure.change_percent, '%')})`}`;
	const judged = measure.better && figure.change && figure.group !== 'observed' ? (figure.change * measure.better > 0 ? 'better' : 'worse') : '';
	showTip(x, y, `${measure.name}: ${figure.group}`, [
		{ label: 'median', value: number(figure.median, measure.unit) },
		...(figure.runs > 1 ? [{ label: `${figure.runs} runs`, value: `${number(figure.min, measure.unit)} to ${number(figure.max, measure.unit)}` }] : []),
		{ label: base.group, value: number(base.median, measure.unit) },
		{ label: 'change', value: change },
		...(judged ? [{ label: 'that is', value: judged }] : []),
	]);
}

function addDot(track, view, measure, figure, base) {
	const { x, points, groups } = view;
	const at = groups.indexOf(figure.group);
	const relative = (v) => (points ? v - base.median : (100 * (v - base.median)) / Math.abs(base.median));
	if (figure.runs > 1) {
		const range = element('span', 'range');
		range.style.left = `${x(relative(figure.min))}%`;
		range.style.width = `${x(relative(figure.max)) - x(relative(figure.min))}%`;
		range.style.background = `var(${HUES[at % HUES.length]})`;
		track.append(range);
	}
	const dot = element('button', `dot ${SHAPES[at % SHAPES.length]}`);
	dot.type = 'button';
	dot.style.left = `${x(changeOf(figure, points))}%`;
	dot.style.setProperty('--hue', `var(${HUES[at % HUES.length]})`);
	dot.setAttribute('aria-label', `${measure.name} of ${figure.group}: ${number(figure.median, measure.unit)}, changed by ${signed(changeOf(figure, points), points ? 'points' : '%')}`);
	dot.addEventListener('mouseenter', (e) => tell(measure, figure, base, points, e.clientX, e.clientY));
	dot.addEventListener('mouseleave', hideTip);
	dot.addEventListener('blur', hideTip);
	dot.addEventListener('focus', () => {
		const box = dot.getBoundingClientRect();
		tell(measure, figure, base, points, box.right, box.bottom);
	});
	track.append(dot);
}

function addRow(figure, view, measure, base) {
	const row = element('div', 'dots-row');
	const track = element('div', 'track');
	const wanted = measure.better > 0 ? ' (more is better)' : measure.better < 0 ? ' (less is better)' : '';
	for (const t of view.ticks) {
		const line = element('span', t ? 'line' : 'line zero');
		line.style.left = `${view.x(t)}%`;
		track.append(line);
	}
	for (const f of measure.figures) if (f.change !== undefined && changeOf(f, view.points) !== undefined) addDot(track, view, measure, f, base);
	const label = element('div', 'name', measure.name);
	label.append(element('span', 'unit', wanted));
	row.append(label, track);
	figure.append(row);
}

function addAxis(figure, view) {
	const row = element('div', 'dots-row axis');
	const track = element('div', 'track');
	const named = [];
	const apart = leastApart();
	for (const t of view.ticks) {
		if (named.some((other) => Math.abs(view.x(other) - view.x(t)) < apart)) continue;
		const tick = element('span', 'tick', signed(t));
		tick.style.left = `${view.x(t)}%`;
		track.append(tick);
		named.push(t);
	}
	row.append(element('div', 'name', ''), track);
	figure.append(row);
}

function addFigure(slot, data, points) {
	const base = data.groups[data.base];
	const drawn = data.measures.flatMap((measure) => {
		const own = measure.figures.find((f) => f.group === base);
		const any = measure.figures.some((f) => f.change !== undefined && changeOf(f, points) !== undefined);
		return own && any && (measure.unit === '%') === points ? [{ measure, own }] : [];
	});
	if (!drawn.length) return 0;
	const figure = element('figure', 'chart dots');
	const caption = element('figcaption', '', points ? 'Change of shares' : 'Change');
	const all = drawn.flatMap(({ measure }) => measure.figures.map((f) => Math.abs(changeOf(f, points) ?? 0)));
	const reach = Math.max(LEAST_REACH, ...all) * 1.15;
	const view = { points, groups: data.groups, x: scaleOf(reach), ticks: ticksOf(reach) };
	caption.append(element('span', 'unit', `${points ? 'percentage points' : '% of the base'}, from ${base}; the further out, the denser the scale`));
	figure.append(caption);
	for (const { measure, own } of drawn) addRow(figure, view, measure, own);
	addAxis(figure, view);
	slot.append(figure);
	return drawn.length;
}

export function comparisonCharts(slot, model) {
	const data = model.comparison;
	const legend = element('ul', 'marks-legend');
	data.groups.forEach((name, i) => {
		if (i === data.base) return;
		const item = element('li', '');
		const dot = element('span', `dot ${SHAPES[i % SHAPES.length]}`);
		dot.style.setProperty('--hue', `var(${HUES[i % HUES.length]})`);
		item.append(dot, name);
		legend.append(item);
	});
	slot.append(legend);
	const drawn = addFigure(slot, data, false) + addFigure(slot, data, true);
	const left = data.measures.filter((m) => m.figures.some((f) => f.change)).length - data.measures.filter((m) => m.figures.some((f) => f.change && (m.unit === '%' || f.change_percent !== undefined))).length;
	if (!drawn || left) slot.append(element('p', 'absent', drawn ? `Not drawn, as the base is 0: ${left} measures; see the table.` : 'No measure is known of two groups.'));
}

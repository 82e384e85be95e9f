// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// canvas.js - what the maps drawn by hand (map.js, heat.js) have in common. A map has
// {canvas, height, cursor (a time or null), row (or null)}; `b` is its box of data.
import { colour } from './theme.js';
import { hideTip, onCursor, setCursor } from './shared.js';

// The context to draw with, sharp at any zoom; null while the canvas is not laid out.
export function contextOf(map) {
	const ratio = devicePixelRatio || 1;
	const width = map.canvas.clientWidth;
	if (!width) return null;
	map.canvas.width = Math.round(width * ratio);
	map.canvas.height = Math.round(map.height * ratio);
	const context = map.canvas.getContext('2d');
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	return context;
}

// The line at the time that is pointed at; its place.
export function drawCursorLine(context, b, at) {
	const x = Math.round(at) + 0.5;
	context.strokeStyle = colour('--text');
	context.setLineDash([3, 3]);
	context.beginPath();
	context.moveTo(x, b.y);
	context.lineTo(x, b.y + b.h);
	context.stroke();
	context.setLineDash([]);
	return x;
}

// Where on the canvas the pointer is; null outside of the data.
export function pointerIn(map, b, e) {
	const at = map.canvas.getBoundingClientRect();
	const x = e.clientX - at.left;
	const y = e.clientY - at.top;
	return x < b.x || x > b.x + b.w || y < b.y || y > b.y + b.h ? null : { x, y };
}

// Nothing is pointed at any more.
export function letGo(map, draw) {
	map.cursor = map.row = null;
	hideTip();
	draw(map);
	setCursor(null, map);
}

// What other charts point at is shown here, too.
export function followCursor(map, draw) {
	onCursor((t, from) => {
		if (from === map) return;
		map.cursor = t;
		map.row = null;
		draw(map);
	});
}

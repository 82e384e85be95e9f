// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// main.js - brings the page to life. Words and tables are there already; this
// adds charts, the map, sorting and the theme switch.
import { prepare } from './data.js';
import { freeCharts, unusableCharts, slabCharts } from './sections.js';
import { stallCharts } from './pressure.js';
import { latencyCharts, lifetimeCharts } from './curves.js';
import { allocatorCharts } from './icicle.js';
import { comparisonCharts } from './comparison.js';
import { differenceCharts } from './difference.js';
import { mapCharts } from './map.js';
import { setupTables } from './tables.js';
import { setupTheme } from './theme.js';
import { setupNav } from './nav.js';

const draw = {
	free: freeCharts,
	unusable: unusableCharts,
	map: mapCharts,
	slabs: slabCharts,
	stalls: stallCharts,
	lifetimes: lifetimeCharts,
	latency: latencyCharts,
	allocators: allocatorCharts,
	comparison: comparisonCharts,
	difference: differenceCharts,
};

function failed(slot, error) {
	const p = document.createElement('p');
	p.className = 'absent';
	p.textContent = `This chart could not be drawn: ${error.message}. The table holds the main figures.`;
	slot.append(p);
	console.error(error);
}

setupTheme();
setupTables();
setupNav();
const model = prepare(JSON.parse(document.getElementById('result').textContent));
for (const slot of document.querySelectorAll('.chart-slot')) {
	slot.replaceChildren(); // it says that charts need JavaScript
	try {
		draw[slot.dataset.chart](slot, model);
	} catch (error) {
		failed(slot, error);
	}
}

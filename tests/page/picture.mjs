// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// picture.mjs - reports/samples/report.png: the verdict, and charts of two sections, of a report.
// Environment: as lib.mjs, and SHOT (png to write).
import { statSync } from 'node:fs';
import { ok, open, run, scrollThrough } from './lib.mjs';

await run(async () => {
	const { context, page } = await open({ colorScheme: 'light', viewport: { width: 1060, height: 900 } });
	await scrollThrough(page);
	await page.evaluate(() => {
		for (const e of document.querySelectorAll('nav, header, footer, figure.table, main > section:not(#verdict, #free, #map)')) e.remove();
		for (const e of [...document.querySelectorAll('#free .chart')].slice(2, -1)) e.remove();
		for (const e of [...document.querySelectorAll('.map')].slice(0, -1)) e.remove();
	});
	await page.waitForTimeout(300);
	await page.screenshot({ path: process.env.SHOT, fullPage: true });
	ok(statSync(process.env.SHOT).size > 50000, 'a picture is taken');
	await context.close();
});

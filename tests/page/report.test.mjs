// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// report.test.mjs - a report in a browser. Environment: as lib.mjs, and SHOT (png to write).
import { statSync } from 'node:fs';
import { DRAWN, hued, ok, open, overflow, run, scrollThrough, tipText } from './lib.mjs';

const { REPORT, SHOT } = process.env;

async function testLight() {
	const { context, page, complaints, requests } = await open({ colorScheme: 'light' });
	await scrollThrough(page);
	const slots = await page.locator('.chart-slot').count();
	const pixels = await hued(page);
	ok(statSync(REPORT).size <= 10 << 20, 'the file is at most 10 MiB');
	ok((await page.title()).endsWith('kmemlab report'), 'the title is the report\'s', await page.title());
	ok((await page.locator('.verdict .sentence').count()) % 3 === 0, 'the verdict has three sentences');
	ok(pixels.length >= slots, `every section with a chart has one (${pixels.length} in ${slots})`);
	ok(pixels.every((n) => n > DRAWN), 'every chart has something drawn', pixels.join());
	const rows = await page.evaluate(() => [...document.querySelectorAll('table')].map((t) => t.tBodies[0].rows.length));
	ok(rows.length >= 5 && rows.every((n) => n > 0), 'every table has rows', rows.join());
	await testFigures(page);
	if (await page.locator('#map canvas').count()) await testMap(page);
	if (await page.locator('#allocators .icicle').count()) await testIcicle(page);
	if (await page.locator('#difference .plot').count()) await testDifference(page);
	await testScrollers(page);
	await testSort(page);
	await testFilter(page);
	await testKeyboard(page);
	await testZoom(page);
	if (await page.locator('#stalls .plot').count()) await testPressure(page);
	ok(!complaints.length, 'nothing is said on the console', complaints.join(' | '));
	ok(!requests.length, 'nothing is asked of any network', requests.join());
	await page.mouse.move(0, 0);
	await page.screenshot({ path: SHOT, fullPage: true });
	await context.close();
}

// A dozen rows are shown whole; where there is more, the edge says so.
async function testScrollers(page) {
	const all = await page.evaluate(() => [...document.querySelectorAll('.scroll')].filter((e) => e.offsetHeight).map((e) => ({
		name: e.getAttribute('aria-label'),
		rows: e.querySelectorAll('tbody tr').length,
		hides: e.scrollHeight > e.clientHeight + 1,
		shades: getComputedStyle(e).backgroundAttachment,
	})));
	const cut = all.filter((t) => t.rows <= 12 && t.hides);
	ok(all.length > 3 && !cut.length, 'no row of a short table is hidden', JSON.stringify(cut));
	ok(all.every((t) => /local.*scroll/.test(t.shades)), 'an edge with more behind it is shaded', all[0]?.shades);
}

// Every figure of the verdict is a link to the cell of a table that says the same, and
// every number of its sentences stands somewhere below.
async function testFigures(page) {
	const figures = await page.evaluate(() => [...document.querySelectorAll('.figures dd')].map((dd) => ({
		name: dd.previousElementSibling.textContent,
		numbers: [...dd.childNodes].filter((n) => n.className !== 'to' && n.textContent.trim()).length,
		links: [...dd.querySelectorAll('a')].map((a) => {
			const cell = document.getElementById(a.hash.slice(1));
			return { text: a.textContent, cell: cell?.textContent, table: Boolean(cell?.closest('#verdict ~ section table')) };
		}),
	})));
	const bad = figures.filter((f) => !f.links.length || f.links.length !== f.numbers ||
		f.links.some((l) => !l.table || l.text !== l.cell));
	ok(figures.length >= 4 && !bad.length, 'each figure of the verdict leads to a table that says it', JSON.stringify(bad));
	const lost = await page.evaluate(() => {
		const rest = [...document.querySelectorAll('main > section:not(#verdict) :is(td, .remark)')].map((e) => e.textContent).join(' | ');
		const said = [...document.querySelectorAll('.verdict .sentence p')].map((p) => p.textContent.replace(/order-\d/g, '').replace(/\+0x[\da-f]+/g, '')).join(' ');
		return (said.match(/(?<![\w.])\d[\d,.]*(?: (?:%|KiB|MiB|GiB|ns|us|ms|s)(?![\w])|(?=[\s;,.)]))/g) ?? [])
			.map((n) => n.replace(/[,.]$/, '')).filter((n) => !rest.includes(n));
	});
	ok(!lost.length, 'every number of the verdict\'s sentences stands below', lost.join(' '));
	const last = page.locator('.figures dd a').last();
	await last.focus();
	await page.keyboard.press('Enter');
	ok(await page.evaluate(() => {
		const cell = document.querySelector('td:target');
		const at = cell?.getBoundingClientRect();
		return at && at.top >= 0 && at.bottom <= innerHeight && at.height > 0;
	}), 'following a figure shows its cell');
}

// The map tells who is in the way, and looks closer, by mouse and by keyboard.
async function testMap(page) {
	const canvas = page.locator('#map canvas').last();
	await canvas.scrollIntoViewIfNeeded();
	await canvas.focus();
	for (const key of ['ArrowRight', 'ArrowUp']) await page.keyboard.press(key);
	const range = async () => (await tipText(page)).match(/frames\s+(\d+) to (\d+)/).slice(1).map(Number);
	const [from, to] = await range();
	ok(to > from, 'the map tells an address by keyboard', await tipText(page));
	const axis = () => canvas.evaluate((c) => c.toDataURL());
	await page.keyboard.press('Escape');
	const before = await axis();
	for (const key of ['ArrowRight', 'ArrowUp']) await page.keyboard.press(key);
	for (let i = 0; i < 4; i++) await page.keyboard.press('+');
	const [closeFrom, closeTo] = await range();
	ok(closeTo - closeFrom <= to - from && (await axis()) !== before, 'the map looks closer at +');
	await page.keyboard.press('Escape');
	await page.mouse.move(0, 0);
	ok((await axis()) === before, 'the map looks at all again at Escape');
	const b = await canvas.boundingBox();
	await page.mouse.move(b.x + b.width * 0.4, b.y + b.height * 0.2);
	await page.mouse.down();
	await page.mouse.move(b.x + b.width * 0.7, b.y + b.height * 0.5, { steps: 4 });
	await page.mouse.up();
	await page.mouse.move(0, 0);
	ok((await axis()) !== before, 'dragging over the map looks closer');
	await canvas.dblclick({ position: { x: b.width / 2, y: b.height / 2 } });
	await page.mouse.move(0, 0);
	ok((await axis()) === before, 'a double click resets it');
	await testHolders(page, canvas);
}

async function testHolders(page, canvas) {
	const data = await page.evaluate(() => JSON.parse(document.getElementById('result').textContent).results[0]);
	if (!data.blocks?.length) return;
	const b = await canvas.boundingBox();
	const told = [];
	for (let y = 6; y < b.height - 30 && !told.length; y += 2) {
		await page.mouse.move(b.x + b.width / 2, b.y + y);
		if (/(pinned|mixed)\s/.test(await tipText(page))) told.push(await tipText(page));
	}
	const pfn = Number(told[0]?.match(/pageblock at frame (\d+)/)?.[1]);
	const block = data.blocks.find((x) => x.pfn === pfn);
	const owner = block?.owners.find((o) => o.comm);
	ok(block && told[0].includes(`${block.free_pages} of`), 'the map tells the pageblocks that a few pages deny', told[0]);
	ok(block && (!owner || (told[0].includes(`${owner.comm}: `) && /for [\d.]+ (s|ms|us|ns), since/.test(told[0]))), 'who holds them, and for how long', told[0]);
	await page.mouse.move(0, 0);
}

// Boxes add up to what the result says; a press widens, Escape shows all.
async function testIcicle(page) {
	const icicle = page.locator('#allocators .icicle').first();
	await icicle.scrollIntoViewIfNeeded();
	const sums = await page.evaluate(() => {
		const { allocators, allocators_others: others } = JSON.parse(document.getElementById('result').textContent).results[0];
		const sum = (f) => [...allocators, ...others].filter((r) => r.of === 'objects').reduce((n, r) => n + f(r), 0);
		return { allocs: sum((r) => r.allocs), live: sum((r) => r.live_bytes) };
	});
	const select = page.locator('#allocators select');
	const texts = [];
	for (const mode of ['live', 'churn', 'allocs', 'waste']) {
		await select.first().selectOption(mode);
		texts.push(await icicle.locator('.box').first().getAttribute('aria-label'));
	}
	ok(new Set(texts).size === 4, 'four measures of who allocates', texts.join(' | '));
	ok(texts[2].includes(sums.allocs.toLocaleString('en-US')), 'allocations of objects add up', `${texts[2]}, ${sums.allocs}`);
	await select.first().selectOption('allocs');
	await icicle.locator('.box').first().focus();
	for (const key of ['ArrowDown', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key);
	const second = await page.evaluate(() => document.activeElement.textContent);
	await page.keyboard.press('Enter');
	const wide = await icicle.evaluate((e) => [...e.children].filter((b) => b.getBoundingClientRect().width > e.clientWidth - 2).map((b) => b.textContent));
	ok(wide.length >= 2 && wide[1] === second, 'Enter widens the box that the arrow keys led to', `${wide.join()} / ${second}`);
	await page.keyboard.press('Escape');
	ok((await icicle.locator('.box').first().textContent()) === 'all objects' && (await icicle.locator('.box').count()) > 5, 'Escape shows all boxes');
	const first = await icicle.locator('.box').nth(1).textContent();
	await select.last().selectOption('cache, call site, command');
	ok((await icicle.locator('.box').nth(1).textContent()) !== first, 'the boxes can begin with the cache');
	await icicle.locator('.box').nth(1).hover();
	ok(/of all\s+[\d.]+ %/.test(await tipText(page)), 'a box tells its share', await tipText(page));
	await page.mouse.move(0, 0);
}

// B minus B is nothing; B minus A is what the chart tells.
async function testDifference(page) {
	const section = page.locator('#difference');
	const plot = section.locator('.plot').first();
	await plot.scrollIntoViewIfNeeded();
	const value = async () => {
		await plot.focus();
		for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
		const text = await tipText(page);
		await page.keyboard.press('Escape');
		return text;
	};
	ok(/ minus .*[+-]?[\d.]+ (B|KiB|MiB|GiB)/s.test(await value()), 'a difference is told', await value());
	const selects = section.locator('select');
	await selects.first().selectOption(await selects.nth(1).inputValue());
	ok(/\s0 B/.test(await value()), 'a run differs from itself by nothing', await value());
	const stretch = section.getByLabel('make lengths equal');
	if (await stretch.count()) await stretch.check();
	ok(/\s0 B/.test(await value()), 'nor if lengths are made equal', await value());
	if (await stretch.count()) await stretch.uncheck();
}

async function testSort(page) {
	const table = page.locator('figure.table:not(details figure) table').filter({ has: page.locator('th.num button') }).last();
	const column = await table.evaluate((t) => [...t.tHead.rows[0].cells].findIndex((c) => c.classList.contains('num')));
	const values = () => table.evaluate((t, c) => [...t.tBodies[0].rows].map((r) => Number(r.cells[c].dataset.v ?? -Infinity)), column);
	const before = (await values()).join();
	await table.locator('th').nth(column).locator('button').click();
	const sorted = await values();
	ok(sorted.every((v, i) => !i || sorted[i - 1] >= v), 'a column sorts, largest first', sorted.join());
	await table.locator('th').nth(column).locator('button').click();
	await table.locator('th').nth(column).locator('button').click();
	ok((await values()).join() === before, 'the third press restores the order');
}

// Marks of stalls on the chart of free memory, and charts with logarithmic time.
// What is typed leaves the rows that hold it, and says how many.
async function testFilter(page) {
	const figures = page.locator('figure.table:not(details figure):has(input[type=search])');
	if (!(await figures.count())) return;
	const figure = figures.first();
	const shown = () => figure.evaluate((f) => [...f.querySelectorAll('tbody tr')].filter((r) => !r.hidden).map((r) => r.textContent));
	const all = await shown();
	const word = (await figure.locator('tbody tr').last().locator('td').first().textContent()).trim();
	await figure.locator('input').fill(word);
	const left = await shown();
	ok(left.length > 0 && left.length < all.length && left.every((t) => t.toLowerCase().includes(word.toLowerCase())),
		'a filter leaves the rows that hold it', `${word}: ${left.length} of ${all.length}`);
	ok((await figure.textContent()).includes(`${left.length} of ${all.length} rows`), 'and says how many');
	await figure.locator('input').fill('');
	ok((await shown()).length === all.length, 'no filter shows all rows');
}

// Dragging over one chart zooms all over time, a double click resets them.
async function testZoom(page) {
	const plots = page.locator('#free .plot');
	const ranges = () => plots.evaluateAll((list) => list.map(({ chart }) => [chart.plot.scales.x.min, chart.plot.scales.x.max]));
	await plots.first().scrollIntoViewIfNeeded();
	const before = await ranges();
	const [min, max] = before[0];
	const b = await plots.first().locator('.u-over').boundingBox();
	await page.mouse.move(b.x + b.width * 0.25, b.y + b.height / 2);
	await page.mouse.down();
	await page.mouse.move(b.x + b.width * 0.75, b.y + b.height / 2, { steps: 5 });
	await page.mouse.up();
	const zoomed = await ranges();
	const near = (v, share) => Math.abs(v - (min + (max - min) * share)) < (max - min) / 50;
	ok(zoomed.every(([from, to]) => near(from, 0.25) && near(to, 0.75)), 'dragging zooms all charts over time', JSON.stringify(zoomed.slice(0, 2)));
	await plots.first().locator('.u-over').dblclick();
	ok(JSON.stringify(await ranges()) === JSON.stringify(before), 'a double click shows all of the time again', JSON.stringify((await ranges())[0]));
	await page.mouse.move(b.x + b.width * 0.25, b.y + b.height / 2);
	ok(/at [\d.]+ s/.test(await tipText(page)), 'the mouse shows values', await tipText(page));
	await page.mouse.move(0, 0);
}

async function testPressure(page) {
	const ink = (selector, rows) => page.locator(selector).first().evaluate((canvas, height) => {
		const { data, width } = canvas.getContext('2d').getImageData(60, 8, canvas.width - 60, height);
		let n = 0;
		for (let i = 3; i < width * height * 4; i += 4) n += data[i] > 200;
		return n;
	}, rows);
	ok((await ink('#free canvas', 40)) > 200, 'stalls are marked on the chart of free memory');
	const named = await page.locator('#free .marks-legend li').allTextContents();
	ok(['direct reclaim', 'failed allocation', 'kswapd awake', 'fallback'].every((what) => named.some((n) => n.startsWith(what))),
		'the legend names the marks', named.join());
	const top = await page.locator('#unusable canvas').first().evaluate((canvas) => {
		const { data, width } = canvas.getContext('2d').getImageData(60, 8, canvas.width - 60, 24);
		const rows = [0, 8, 16].map((y) => data.slice(4 * width * (y + 3), 4 * width * (y + 4)));
		return rows.map((row) => row.filter((v, i) => i % 4 === 3 && v > 200).length);
	});
	ok(top.every((n) => n > 0), 'the unusable index has the marks as well', top.join());
	const fallbacks = await page.evaluate(() => JSON.parse(document.getElementById('result').textContent).results[0].fallbacks_over_time.events.reduce((a, b) => a + b, 0));
	const said = await page.locator('#fallbacks tbody tr').last().locator('td').last().getAttribute('data-v');
	ok(fallbacks > 0 && fallbacks === Number(said), 'the marks hold every fallback', `${fallbacks} of ${said}`);
	await testHeat(page);
	for (const id of ['stalls', 'lifetimes', 'latency']) {
		const plot = page.locator(`#${id} .plot`).first();
		await plot.scrollIntoViewIfNeeded();
		await plot.focus();
		for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
		const tip = await page.locator('.tip').textContent();
		ok(/\d (ns|us|ms|s|%)/.test(tip), `${id}: the tip tells a value`, tip);
		await page.keyboard.press('Escape');
	}
}

// Heat maps of stalls, of the kernel's calls and of the reference's requests.
async function testHeat(page) {
	const maps = await page.locator('.heat figcaption').allTextContents();
	ok(['direct reclaim', 'Kernel: pages', 'reference: pages, in user space'].every((what) => maps.some((m) => m.startsWith(what))),
		'lengths over time: stalls, kernel and reference', maps.join());
	const reclaim = page.locator('#stalls .heat canvas').first();
	await reclaim.scrollIntoViewIfNeeded();
	await reclaim.focus();
	let sum = 0;
	for (let i = 0; i < 120; i++) {
		await page.keyboard.press('ArrowRight');
		sum += Number((await tipText(page)).match(/of any length\s+([\d,]+)/)[1].replace(/,/g, ''));
	}
	await page.keyboard.press('Escape');
	const all = await page.evaluate(() => JSON.parse(document.getElementById('result').textContent).results[0].stalls.by_kind.find((k) => k.kind === 'reclaim').count);
	ok(all > 0 && (sum === all || sum === all - 1 || sum > all * 0.9), 'walking over the columns meets the stalls', `${sum} of ${all}`);
}

async function testKeyboard(page) {
	const plot = page.locator('.plot').first();
	await plot.focus();
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	const tip = page.locator('.tip');
	ok(await tip.isVisible(), 'arrow keys show values');
	ok(/at 0\.\d|at \d/.test(await tip.textContent()), 'the tip names the time', await tip.textContent());
	await page.keyboard.press('Escape');
	ok(!(await tip.isVisible()), 'Escape takes the tip away');
	const chip = page.locator('.chip').first();
	await chip.click();
	ok((await chip.getAttribute('aria-pressed')) === 'false', 'a run can be hidden');
	await chip.click();
}

async function testDark() {
	const { context, page, complaints } = await open({ colorScheme: 'dark' });
	const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0));
	const dark = await back();
	ok(dark < 150, 'dark where the system says dark', String(dark));
	await page.locator('#theme').click();
	ok((await back()) > 600, 'the switch makes it light');
	await page.locator('#theme').click();
	ok((await back()) < 150, 'and dark again');
	await scrollThrough(page);
	const pixels = await hued(page);
	ok(pixels.every((n) => n > DRAWN), 'charts are drawn in the dark', pixels.join());
	ok(!complaints.length, 'nothing is said on the console in the dark', complaints.join(' | '));
	await page.screenshot({ path: SHOT.replace(/\.png$/, '-dark.png'), fullPage: true });
	await context.close();
}

async function testWidths() {
	for (const width of [360, 768, 1600]) {
		const { context, page } = await open({ viewport: { width, height: 800 } });
		await scrollThrough(page);
		const over = await overflow(page);
		ok(over.page <= 0 && !over.wide.length, `nothing overflows at ${width} px`, JSON.stringify(over));
		if (width === 360) await page.screenshot({ path: SHOT.replace(/\.png$/, '-narrow.png'), fullPage: true });
		if (width === 1600) await page.setViewportSize({ width: 500, height: 800 });
		if (width === 1600) await page.waitForTimeout(200);
		if (width === 1600) ok((await overflow(page)).page <= 0, 'charts follow a resize');
		await context.close();
	}
}

// Colours as three kinds of colour blindness see them (Viénot, Brettel and Mollon's matrices on
// linear light) must stay apart, light and dark, wherever two of them mean two things.
async function testColours() {
	for (const colorScheme of ['light', 'dark']) {
		const { context, page } = await open({ colorScheme });
		const worst = await page.evaluate(() => {
			const names = ['--c-blue', '--c-vermillion', '--c-green', '--c-purple', '--c-orange', '--c-sky', '--c-yellow'];
			const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
			const style = getComputedStyle(document.documentElement);
			const rgb = names.map((n) => style.getPropertyValue(n).trim()).map((c) => [1, 3, 5].map((i) => linear(parseInt(c.slice(i, i + 2), 16) / 255)));
			const eyes = {
				protan: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
				deutan: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
				tritan: [[1, 0.14461, -0.14461], [0, 0.85924, 0.14076], [0, 0.85924, 0.14076]],
			};
			const lab = ([r, g, b]) => {
				const f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
				const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505), y = f(0.2126 * r + 0.7152 * g + 0.0722 * b), z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
				return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
			};
			const seen = (m, c) => lab(m.map((row) => Math.max(0, row.reduce((s, v, i) => s + v * c[i], 0))));
			// What is drawn without dashes or rows to tell it by: the first four, and types on the map.
			let worst = { distance: Infinity };
			for (const [eye, m] of Object.entries(eyes))
				for (let i = 0; i < 4; i++)
					for (let j = 0; j < i; j++) {
						const a = seen(m, rgb[i]), b = seen(m, rgb[j]);
						const distance = Math.hypot(...a.map((v, k) => v - b[k]));
						if (distance < worst.distance) worst = { distance, eye, pair: `${names[i]} ${names[j]}` };
					}
			return worst;
		});
		ok(worst.distance > 10, `${colorScheme} colours stay apart for colour-blind eyes`, JSON.stringify(worst));
		await context.close();
	}
}

// On paper: everything unfolded, white, within the sheet, and charts there.
async function testPrint() {
	const { context, page, complaints } = await open({ colorScheme: 'dark' });
	await page.setViewportSize({ width: 718, height: 1000 }); // A4 less its margins
	await page.emulateMedia({ media: 'print' });
	await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
	await page.waitForTimeout(400);
	const state = await page.evaluate(() => ({
		folded: [...document.querySelectorAll('details.fold')].filter((d) => !d.open).length,
		undrawn: [...document.querySelectorAll('.plot')].filter((p) => !p.querySelector('canvas')).length,
		back: getComputedStyle(document.body).backgroundColor,
		nav: getComputedStyle(document.querySelector('nav')).display,
		cut: [...document.querySelectorAll('.scroll')].filter((s) => s.scrollHeight > s.clientHeight + 2 || s.firstElementChild.getBoundingClientRect().right > innerWidth + 1).map((s) => s.getAttribute('aria-label')),
	}));
	ok(!state.folded && !state.undrawn, 'print: all is unfolded and drawn', JSON.stringify(state));
	ok(!state.cut.length, 'print: no table is cut', JSON.stringify(state));
	ok(state.nav === 'none' && /255, 255, 255/.test(state.back), 'print: white, without the list of sections', JSON.stringify(state));
	ok(!complaints.length, 'print: nothing is said on the console', complaints.join(' | '));
	await page.evaluate(() => dispatchEvent(new Event('afterprint')));
	await page.emulateMedia({ media: null });
	await page.pdf({ path: SHOT.replace(/\.png$/, '.pdf'), format: 'A4' });
	ok(statSync(SHOT.replace(/\.png$/, '.pdf')).size > 50000, 'print: a PDF is made');
	await context.close();
}

async function testWithoutScripts() {
	const { context, page } = await open({ javaScriptEnabled: false });
	ok((await page.locator('.verdict .sentence p').first().innerText()).length > 20, 'the verdict is there without JavaScript');
	ok((await page.locator('tbody tr').count()) > 20, 'the tables are there without JavaScript');
	const slots = await page.locator('.chart-slot').count();
	ok((await page.getByText('charts need JavaScript').count()) === slots, 'it says why there are no charts');
	await context.close();
}

await run(testLight, testDark, testWidths, testWithoutScripts, testColours, testPrint);

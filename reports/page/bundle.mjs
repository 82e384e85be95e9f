// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// bundle.mjs SRC OUTFILE - style, scripts and uPlot into one HTML template.
//
// The page's policy allows exactly the one style and the one script made here,
// by hash, and nothing from anywhere else.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [src, outfile] = process.argv.slice(2);
if (!outfile) {
	console.error('usage: bundle.mjs SRC OUTFILE');
	process.exit(2);
}

async function bundle(entry, options) {
	const { outputFiles } = await build({
		entryPoints: [join(src, entry)],
		bundle: true,
		minify: true,
		write: false,
		charset: 'utf8',
		logLevel: 'warning',
		...options,
	});
	return outputFiles[0].text.trim();
}

const require = createRequire(import.meta.url);
const uplot = dirname(require.resolve('uplot/package.json'));
const { version } = JSON.parse(readFileSync(join(uplot, 'package.json')));
const licence = readFileSync(join(uplot, 'LICENSE'), 'utf8').trim();

const css = await bundle('style.css', {});
const js = await bundle('main.js', {
	format: 'iife',
	target: ['es2020'],
	banner: { js: `/*! Contains uPlot ${version}:\n${licence}\n*/` },
});

for (const [name, text] of [['script', js], ['style', css]])
	if (text.toLowerCase().includes(`</${name}`))
		throw new Error(`the built ${name} would end its element early`);

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
	"default-src 'none'",
	`script-src ${hash(js)}`,
	`style-src ${hash(css)}`,
	"base-uri 'none'",
	"form-action 'none'",
].join('; ');

const fill = { '@@POLICY@@': policy, '@@STYLE@@': css, '@@SCRIPT@@': js };
let page = readFileSync(join(src, 'page.html'), 'utf8');
for (const [mark, text] of Object.entries(fill)) page = page.replace(mark, () => text);

for (const mark of ['@@TITLE@@', '@@BODY@@', '@@RESULT@@'])
	if (page.split(mark).length !== 2) throw new Error(`${mark} must stand in the page once`);

writeFileSync(outfile, page);

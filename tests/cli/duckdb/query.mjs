// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// query.mjs PARQUET CSV - what DuckDB finds in both, as JSON: rows, sums, differences.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.MODULES + '/');
const { DuckDBInstance } = await import(pathToFileURL(require.resolve('@duckdb/node-api')));
const [parquet, csv] = process.argv.slice(2);
const db = await (await DuckDBInstance.create(':memory:')).connect();
const first = async sql => (await db.runAndReadAll(sql)).getRowsJson();
const columns = await first(`describe select * from '${parquet}'`);
const types = columns.map(([name, type]) => `'${name}': '${type}'`).join(', ');
const text = `(select * from read_csv('${csv}', header = true, types = {${types}}))`;
const [[rows, pages, bytes]] = await first(`select count(*), count(pfn), sum(bytes_alloc) from '${parquet}'`);
const [[missing]] = await first(`select count(*) from (from '${parquet}' except all from ${text})`);
const [[extra]] = await first(`select count(*) from (from ${text} except all from '${parquet}')`);
console.log(JSON.stringify({ rows, pages, bytes, missing, extra, columns: columns.map(c => c[0]) }));

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// bare.mjs FROM TO - the same result without what a host may not permit to
// record, and with names that must not be taken for markup.
import { readFileSync, writeFileSync } from 'node:fs';

const [from, to] = process.argv.slice(2);
const result = JSON.parse(readFileSync(from));
for (const key of ['pageblocks', 'kernel_samples', 'fidelity', 'fallbacks', 'slabs'])
	delete result[key];
result.runs = result.runs.filter((run) => run.name === 'observed');
result.call_sites[0].name = '</script><script>document.title="owned"</script><b>bold</b>';
writeFileSync(to, JSON.stringify(result));

// Writes the dashboards to the folder that is named.

import { mkdirSync, writeFileSync } from 'node:fs';
import { Board, build } from './board.js';
import { fleet } from './fleet.js';
import { overview } from './overview.js';
import { rollups } from './rollups.js';
import { stores } from './stores.js';

const boards: Record<string, Board> = { overview, fleet, rollups, stores };
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: generate FOLDER');
mkdirSync(folder, { recursive: true });
for (const [name, board] of Object.entries(boards)) {
  writeFileSync(`${folder}/${name}.json`, JSON.stringify(build(board), null, 2) + '\n');
}

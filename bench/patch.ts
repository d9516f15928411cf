/** Applies series in the dpkg dialect, all in one process as a build does: `node bench/patch.ts LIST`, where LIST is a JSON file of trees and patches. */
import { readFileSync } from 'node:fs';
import { applySeries } from '../src/patches/apply-series.ts';
import type { SeriesPatch } from '../src/patches/patch-spec.ts';

const list = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as { tree: string; patches: SeriesPatch[] }[];
for (const { tree, patches } of list) await applySeries({ tree, patches, dialect: 'dpkg' });

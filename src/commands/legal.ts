/** `vbuild legal DIR [TARGET…]`: everything that goes along with the software when it is handed on. */
import { resolve } from 'node:path';
import type { LegalPart } from '../build/legal.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { count } from '../model/count.ts';
import { columns } from '../report/table.ts';
import { type Command, printResult } from './command.ts';
import { openForPatches } from './patch-context.ts';

export const legal: Command = async (context) => {
  const { line, cwd, reporter } = context;
  const [folder = '', ...named] = line.targets;
  const { request, files } = await openForPatches(context);
  const { gatherLegal } = await import('../build/legal.ts');
  const into = resolve(cwd, folder);
  const parts = await gatherLegal({ ...request, targets: selectTargets(request.build, named) }, into, files);
  for (const { package: id, licences } of parts)
    if (licences.every(({ ids }) => ids.length === 0))
      reporter.event({
        type: 'notice',
        level: 'warning',
        code: 'licence-unknown',
        headline: licences.length === 0 ? 'No licence text is in the source' : 'No licence in the source is recognised',
        package: id,
        facts: {
          ...(licences.length > 0 && { texts: licences.map(({ path }) => path).join(', ') }),
          mend: 'read what the source says, and add the text to what you hand on where it is missing',
        },
      });
  printResult(
    context,
    () => columns(parts.map(cells)),
    () => ({ format: 1, folder: into, packages: parts }),
  );
  return 0;
};

const cells = ({ package: id, licences, patches, sources }: LegalPart): string[] => [
  id,
  count(sources.length, 'source file'),
  count(patches.length, 'patch', 'patches'),
  count(licences.length, 'licence text'),
  [...new Set(licences.flatMap(({ ids }) => ids))].sort().join(' ') || '-',
];

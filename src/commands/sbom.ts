/** `vbuild sbom [TARGET…]`: a bill of materials on stdout. */
import { basename } from 'node:path';
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { readBytes } from '../system/files.ts';
import type { Command } from './command.ts';
import { openForPatches } from './patch-context.ts';

export const sbom: Command = async (context) => {
  const { request } = await openForPatches(context);
  const targets = selectTargets(request.build, context.line.targets);
  const { partsOf } = await import('../build/parts.ts');
  const { cycloneDx } = await import('../build/cyclonedx.ts');
  const parts = (await partsOf({ ...request, targets })).map((part) => ({
    ...part,
    texts: part.patches.map(({ path }) => readBytes(path)),
  }));
  const subject = { name: basename(request.workspace.folder), targets: targets.map(packageId) };
  const { SOURCE_DATE_EPOCH: seconds = '' } = context.env;
  const time = new Date(/^\d{1,11}$/.test(seconds) ? Number(seconds) * 1000 : Date.now());
  context.stdout.write(`${JSON.stringify(cycloneDx(parts, subject, time), undefined, 2)}\n`);
  return 0;
};

/** `vbuild cache prove [TARGET…]`: whether a server that only restores would find everything. */
import type { Proof } from '../build/prove.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { columns } from '../report/table.ts';
import { shortened, size } from '../report/words.ts';
import { buildRequest } from './build.ts';
import { type Command, openProject, printResult } from './command.ts';

export const cacheProve: Command = async (context) => {
  const project = await openProject(context);
  const request = buildRequest(context, project, selectTargets(project.build, context.line.targets));
  const { prove } = await import('../build/prove.ts');
  const { proofs, mixed } = await prove(request);
  const lacking = proofs.filter(({ tier }) => tier === undefined);
  const exitStatus = lacking.length === 0 ? 0 : 3;
  printResult(
    context,
    () =>
      [
        columns(proofs.map(cells)),
        ...mixed.map(
          (one) =>
            `note: ${one.package} was compiled against another build of ${one.dependency} than the one beside it\n`,
        ),
        lacking.length === 0
          ? `${proofs.length} of ${proofs.length} can be restored\n`
          : `${proofs.length - lacking.length} of ${proofs.length} can be restored; missing: ${lacking.map((one) => one.package).join(', ')}\n`,
      ].join(''),
    () => ({ format: 1, type: 'cache-proved', exitStatus, packages: proofs, mixed }),
  );
  return exitStatus;
};

function cells({ package: id, key, tier, signer, sizeBytes, findings }: Proof): string[] {
  const others = findings.map(
    (one) => `${one.tier}: ${one.answer}${one.reason === undefined ? '' : ` (${one.reason})`}`,
  );
  return tier === undefined
    ? ['LACKING', id, shortened(key), others.join('; ')]
    : ['ok', id, shortened(key), `${tier}, ${signer}, ${size(sizeBytes ?? 0)}`];
}

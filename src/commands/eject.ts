/** `vbuild eject [TARGET…]`: the same build as a program of a shell. */
import { join, relative } from 'node:path';
import { ejected } from '../build/eject.ts';
import { factsNow } from '../build/facts.ts';
import { fullClosure } from '../build/graph.ts';
import { notPinned } from '../build/not-ready.ts';
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { VbuildErrors } from '../model/error.ts';
import { withoutPasswords } from '../model/passwords.ts';
import { hostPlatform } from '../system/platform.ts';
import { asides, type Command, openProject, printResult } from './command.ts';

export const eject: Command = async (context) => {
  const { build, workspace } = await openProject(context);
  const targets = selectTargets(build, context.line.targets);
  const packages = fullClosure(targets);
  const { known } = factsNow(packages, { workspace, platform: hostPlatform() });
  const missing = packages.filter((one) => !known.has(one));
  if (missing.length > 0) throw new VbuildErrors(missing.map(notPinned));
  const whole = ejected({
    packages: packages.flatMap((one) => known.get(one) ?? []),
    targets: targets.map(packageId),
    buildfile: workspace.buildfile,
    patchPath: (path) => relative(workspace.folder, join(path)),
  });
  const { emit, notices } = asides(context);
  const program = withoutPasswords(whole);
  if (program !== whole)
    emit({
      type: 'notice',
      level: 'warning',
      code: 'password-left-out',
      headline: 'Passwords of URLs are left out of the program',
      facts: {
        lines: program
          .split('\n')
          .flatMap((line, at) => (line === whole.split('\n')[at] ? [] : [at + 1]))
          .join(', '),
        mend: 'put them where … stands in these lines',
      },
    });
  printResult(
    context,
    () => program,
    () => ({
      format: 1,
      type: 'ejected',
      targets: targets.map(packageId),
      packages: packages.map(packageId),
      program,
      notices,
    }),
  );
  return 0;
};

/** Finds libraries of a prefix that a Python of this host never loads, because it comes with its own copy. */
import type { Manifest } from '../artifact/manifest.ts';
import { packageId } from '../buildfile/package.ts';
import { systemPath } from '../system/user-environment.ts';
import { pythonLibraries } from '../system/python-libraries.ts';
import { parseKeyText } from '../key/fields.ts';
import type { Run } from './run.ts';

/** The loader takes the first library of a SONAME for all that follow, so what the interpreter has mapped at start wins. */
export async function reportShadowed(manifests: readonly Manifest[], run: Pick<Run, 'emit' | 'signal'>): Promise<void> {
  if (!manifests.some(({ keyText }) => parseKeyText(keyText).some(([field]) => field === 'tool.python3'))) return;
  // A host without Python has nothing that could shadow.
  const paths = (await pythonLibraries(systemPath, run.signal)) ?? [];
  const loaded = new Map(
    paths.map((path) => [path.slice(path.lastIndexOf('/') + 1).replace(/(\.so\.\d+).*$/, '$1'), path]),
  );
  for (const { package: one, provides } of manifests) {
    for (const soname of Object.keys(provides)) {
      const path = loaded.get(soname);
      if (path === undefined) continue;
      run.emit({
        type: 'notice',
        level: 'warning',
        code: 'shadowed-by-host',
        headline: 'Python of this host loads a library of its own in place of ours',
        package: packageId(one),
        facts: {
          library: soname,
          host: path,
          remedy:
            'none needed where the versions agree; a static build of the package, or another Python, where they may not',
        },
      });
    }
  }
}

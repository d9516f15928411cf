/** Runs the steps of a generated source in a folder of their own, with nothing of the user's environment but what was asked for. */
import { join } from 'node:path';
import { argvOf } from '../model/argv.ts';
import { VbuildError } from '../model/error.ts';
import { makeFolder, removeTree, temporaryFolder } from '../system/files.ts';
import { settleTree } from '../system/import-tree.ts';
import { type Finished, run } from '../system/process.ts';
import { lastLines } from '../system/tail.ts';
import { systemPath } from '../system/user-environment.ts';
import type { GeneratedSpec, GeneratedStep } from './generated.ts';
import type { SourceContext } from './source.ts';

/** How the network is reached is a matter of the machine: proxies, and the authorities that the site trusts. */
const reaching = [
  ...['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]),
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/** @returns The absolute path of what they left; it goes when the result is disposed of. */
export async function runGeneratedSteps(
  spec: GeneratedSpec,
  context: SourceContext,
): Promise<{ readonly tree: string; [Symbol.asyncDispose](): Promise<void> }> {
  const scratch = temporaryFolder('generated', context.state);
  try {
    const [tree, home, tmp] = ['tree', 'home', 'tmp'].map((name) => join(scratch.path, name)) as [
      string,
      string,
      string,
    ];
    for (const folder of [tree, home, tmp]) makeFolder(folder);
    const env = environmentOf(spec, context, { home, tmp });
    await refuseMissing(spec.tools ?? [], tree, env, context);
    for (const [at, step] of spec.steps.entries()) {
      context.signal.throwIfAborted();
      const title = `step ${at + 1} of ${spec.steps.length}`;
      const finished = await run({ argv: underUmask(step), cwd: tree, env, signal: context.signal });
      context.signal.throwIfAborted();
      if (finished.exitStatus !== 0) throw failed(title, step, finished);
    }
    settleTree(tree);
    return { tree, [Symbol.asyncDispose]: async () => removeTree(scratch.path) };
  } catch (error) {
    removeTree(scratch.path);
    throw error;
  }
}

function environmentOf(
  { env, pass = [] }: GeneratedSpec,
  context: SourceContext,
  { home, tmp }: { readonly home: string; readonly tmp: string },
): Record<string, string> {
  const inherited = [...reaching, ...pass].flatMap((name): [string, string][] => {
    const value = context.environment?.[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    PATH: systemPath,
    HOME: home,
    TMPDIR: tmp,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    TERM: 'dumb',
    BUILDFILE_FOLDER: context.buildfileFolder,
    ...Object.fromEntries(inherited),
    ...env,
  };
}

/** A umask belongs to a process, so each step sets its own; the shell then becomes the program. */
const underUmask = (step: GeneratedStep): string[] => [
  '/bin/sh',
  '-c',
  'umask 022 && exec "$@"',
  'step',
  ...argvOf(step),
];

async function refuseMissing(
  tools: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  context: SourceContext,
): Promise<void> {
  if (tools.length === 0) return;
  const look = 'for tool; do command -v "$tool" >/dev/null || printf "%s\\n" "$tool"; done';
  const { stdout } = await run({ argv: ['/bin/sh', '-c', look, 'look', ...tools], cwd, env, signal: context.signal });
  const missing = stdout.split('\n').filter((name) => name !== '');
  if (missing.length > 0)
    throw new VbuildError('tool-missing', 'Programs that make the source are not installed', {
      facts: { missing: missing.join(', '), 'looked for in': env['PATH'] ?? '' },
      mend: `install them; on Debian try apt-get install ${missing.join(' ')}`,
    });
}

function failed(
  title: string,
  step: GeneratedStep,
  { exitStatus, signal, failure, stdout, stderr }: Finished,
): VbuildError {
  const said = lastLines(`${stdout}\n${stderr}`, 12);
  return new VbuildError('step-failed', 'A step of the source failed', {
    facts: {
      step: title,
      command: typeof step === 'string' ? step : step.join(' '),
      ended: exitStatus === undefined ? (signal ?? failure ?? 'unknown') : `exit status ${exitStatus}`,
      ...(said !== '' && { 'last lines': said }),
    },
    mend: 'correct the step; steps see no variables but those of `env`, `pass` and the standard ones',
  });
}

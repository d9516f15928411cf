/** Sources of the user's own making: steps that fetch or make a tree in an empty folder; what they leave is pinned by its content. */
import { type Digest, digestOf, isDigest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Pin, SourceContext, SourceKind } from './source.ts';

/** An argument vector; or one string, run by `bash -eu -o pipefail -c`. */
export type GeneratedStep = readonly string[] | string;

export interface GeneratedSpec {
  readonly kind: 'generated';
  readonly steps: readonly GeneratedStep[];
  readonly tools?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly pass?: readonly string[];
  readonly tree?: string;
}

export interface GeneratedOptions {
  /** Run one after another in a folder that is empty at first; what lies there at the end is the source. They may use the network. */
  readonly steps: readonly GeneratedStep[];
  /** Programs that the steps call; looked for before the first one runs. */
  readonly tools?: readonly string[];
  /** Variables that the steps see, beside the standard ones (PATH of the system, HOME and TMPDIR of their own, LC_ALL=C.UTF-8, TZ=UTC, the proxy variables). */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables of the user's that the steps see as well, such as `SSH_AUTH_SOCK`. */
  readonly pass?: readonly string[];
  /** SHA-256 of the tree, as the lock file has it; what comes first is pinned when not given. */
  readonly tree?: string;
}

/**
 * A source that no other kind knows. The steps run when it is pinned (and again only where the tree is lost), never under `--offline`;
 * a tree that differs from the pinned one is refused. `$BUILDFILE_FOLDER` is the folder of the Buildfile, for scripts of the project.
 *
 * Bringing it may end with `step-failed`, `tool-missing`, `pin-mismatch`, `archive-refused` for what no tree may hold, and under `--offline`
 * with `download-failed`.
 */
export const generated = (options: GeneratedOptions): GeneratedSpec => ({ kind: 'generated', ...options });

export const generatedKind: SourceKind<GeneratedSpec> = {
  kind: 'generated',
  options: ['steps', 'tools', 'env', 'pass', 'tree'],
  problems,

  origin: () => ({}),

  async resolve(spec, context) {
    const { removeTree } = await import('../system/files.ts');
    const { keepTree } = await import('./kept-tree.ts');
    await using made = await make(spec, context);
    const digest = await keepTree(context.state, keptName(spec), made.tree);
    if (spec.tree !== undefined && spec.tree !== digest) {
      removeTree(made.tree);
      throw otherTree(spec.tree, digest);
    }
    return { kind: 'generated', tree: digest };
  },

  async fetch(spec, pin, target, context) {
    const wanted = pinnedTree(pin);
    const { keepTree, restoreTree } = await import('./kept-tree.ts');
    if (await restoreTree(context.state, keptName(spec), target.tree, wanted)) return;
    const { moveIntoPlace, removeTree } = await import('../system/files.ts');
    await using made = await make(spec, context);
    const digest = await keepTree(context.state, keptName(spec), made.tree);
    if (digest !== wanted) throw otherTree(wanted, digest);
    removeTree(target.tree);
    moveIntoPlace(made.tree, target.tree);
  },
};

function problems({ steps, tools, env, pass, tree }: GeneratedSpec): readonly string[] {
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '' && !value.includes('\0');
  const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
  const isVariable = (name: unknown): boolean => typeof name === 'string' && /^[A-Za-z_]\w*$/.test(name);
  const found: string[] = [];
  if (
    !Array.isArray(steps) ||
    steps.length === 0 ||
    !steps.every((step: unknown) => isText(step) || (isTexts(step) && (step as unknown[]).length > 0))
  )
    found.push('steps must be a list of commands: lists of words, or lines for the shell');
  if (tools !== undefined && (!isTexts(tools) || tools.some((name) => /[\s/]/.test(name))))
    found.push('tools must be a list of names of programs');
  if (
    env !== undefined &&
    (typeof env !== 'object' ||
      env === null ||
      Array.isArray(env) ||
      !Object.entries(env).every(([name, value]) => isVariable(name) && typeof value === 'string'))
  )
    found.push('env must be an object of variables, each one a string');
  if (pass !== undefined && !(Array.isArray(pass) && pass.every(isVariable)))
    found.push('pass must be a list of names of variables');
  if (tree !== undefined && (typeof tree !== 'string' || !isDigest(tree)))
    found.push('tree must be 64 lower-case hexadecimal digits');
  return found;
}

function pinnedTree(pin: Pin): Digest {
  const tree = pin['tree'];
  if (typeof tree === 'string' && isDigest(tree)) return tree;
  throw new VbuildError('lock-file-invalid', 'Pin of a generated source names no tree', {
    mend: 'pin it anew with vbuild update',
  });
}

const keptName = (spec: GeneratedSpec): string => `generated-${digestOf(JSON.stringify(spec)).slice(0, 16)}`;

const otherTree = (expected: string, found: string): VbuildError =>
  new VbuildError('pin-mismatch', 'Steps left another tree than the pinned one', {
    facts: { expected: `SHA-256 ${expected}`, found: `SHA-256 ${found}` },
    mend: 'let the steps give the same bytes each time (exact versions, no dates); if the change is meant, pin it anew with vbuild update',
  });

/** Runs the steps, and settles what they leave. @throws {VbuildError} `download-failed` when offline, `tool-missing`, `step-failed`, `archive-refused` */
async function make(
  spec: GeneratedSpec,
  context: SourceContext,
): Promise<{ readonly tree: string; [Symbol.asyncDispose](): Promise<void> }> {
  if (context.offline)
    throw new VbuildError('download-failed', 'Source is not here and its steps may not run', {
      facts: { reason: 'steps may use the network, and vbuild runs offline' },
      mend: 'run once without --offline',
    });
  const { runGeneratedSteps } = await import('./generated-steps.ts');
  return runGeneratedSteps(spec, context);
}

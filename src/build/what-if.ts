/** Plans of what is not so yet: turns "what if this changed" into other facts, from which everything else follows as it would. */
import { resolve } from 'node:path';
import { type Build, type Package, packageId } from '../buildfile/package.ts';
import { packagesCalled } from '../buildfile/targets.ts';
import { toolNames } from '../compile/tools.ts';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { exists, realPath } from '../system/files.ts';
import { influenceOf } from './influence.ts';
import type { StageFacts } from './stages.ts';
import type { Workspace } from './workspace.ts';

export interface Assumption {
  /** What is assumed, each a clause. */
  readonly words: readonly string[];
  /** The facts of a package under it. */
  readonly apply: (facts: StageFacts) => StageFacts;
}

/** Stands in a key for content that nobody has seen; no digest is spelt like this, so no cache ever has what rests on it. */
const unseen = 'another' as Digest;

interface WhatIf {
  /** Packages, by name or `name@version`, and files, absolute or relative to `cwd`; between commas. */
  readonly touch?: readonly string[] | undefined;
  /** `PACKAGE.version=…`, `PACKAGE.env.NAME=…` or `tool.NAME=…`. */
  readonly set?: readonly string[] | undefined;
}

interface WhatIfContext {
  readonly build: Build;
  readonly workspace: Workspace;
  /** Absolute paths of everything that the Buildfile was read from. */
  readonly buildFiles: readonly string[];
  readonly cwd: string;
}

/** @throws {VbuildError} `unknown-target`, `usage` */
export function assumption({ touch, set }: WhatIf, at: WhatIfContext): Assumption | undefined {
  const subjects = (touch ?? []).flatMap((text) => text.split(','));
  const all = [...subjects.map((one) => touched(one, at)), ...(set ?? []).map((text) => changed(text, at))];
  return all.length === 0
    ? undefined
    : {
        words: all.flatMap(({ words }) => words),
        apply: (facts) => all.reduce((so, { apply }) => apply(so), facts),
      };
}

const otherSource = (facts: StageFacts): StageFacts => ({ ...facts, source: { ...facts.source, tree: unseen } });

/** As assumptions before this one have it. */
const packageIn = ({ package: one, assumed = one }: StageFacts): Package => assumed;

const isOf = (one: Package, { package: { name } }: StageFacts): boolean => name === one.name;

function touched(subject: string, at: WhatIfContext): Assumption {
  const [one] = packagesCalled(subject, at.build);
  if (one !== undefined)
    return {
      words: [`the source of ${packageId(one)} changed`],
      apply: (facts) => (isOf(one, facts) ? otherSource(facts) : facts),
    };
  const path = resolve(at.cwd, subject);
  const real = exists(path) ? realPath(path) : path;
  const influences = influenceOf(path, at);
  const roles = new Map(influences.map(({ package: id, as }) => [id, as]));
  const [role] = roles.values();
  if (role === undefined)
    throw new VbuildError('unknown-target', 'Nothing rests on what is to be touched', {
      facts: { expected: 'a package, or a file that one is made from', found: subject },
      mend: 'see with vbuild why FILE what a file decides',
    });
  if (role === 'Buildfile' || role === 'lock file')
    throw new VbuildError('usage', `What the ${role} decides depends on what is changed in it`, {
      where: { file: path },
      mend: 'say what: --touch PACKAGE, or --set PACKAGE.version=VERSION',
    });
  const names = [...roles.keys()];
  return {
    words: [`${subject} changed`],
    apply(facts) {
      const id = names.find((name) => name.startsWith(`${facts.package.name}@`));
      if (id === undefined) return facts;
      if (roles.get(id) === 'source') return otherSource(facts);
      const isIt = ({ input: { file } }: (typeof facts.patches)[number]): boolean =>
        file !== undefined && exists(file.path) && realPath(file.path) === real;
      // A patch that is not there yet would have a place among the others.
      const all = roles.get(id) === 'series' || !facts.patches.some(isIt);
      const patches = facts.patches.map((patch) =>
        all || isIt(patch) ? { ...patch, input: { ...patch.input, value: unseen } } : patch,
      );
      return { ...facts, patches };
    },
  };
}

function changed(text: string, at: WhatIfContext): Assumption {
  const [, subject = '', input = '', value = ''] =
    /^([^=]+?)\.(version|env\.[A-Za-z_]\w*|[\w+-]+)=(.*)$/s.exec(text) ?? [];
  if (subject === 'tool' && toolNames.some((name) => name === input))
    return {
      words: [`tool ${input} were ${value}`],
      apply: (facts) => (input in facts.tools ? { ...facts, tools: { ...facts.tools, [input]: value } } : facts),
    };
  const [one] = packagesCalled(subject, at.build);
  const variable = input.startsWith('env.') ? input.slice(4) : undefined;
  if (one === undefined || value === '' || (input !== 'version' && variable === undefined))
    throw new VbuildError('usage', 'What is to be set is not understood', {
      facts: { expected: 'PACKAGE.version=VERSION, PACKAGE.env.NAME=VALUE or tool.NAME=VERSION', found: text },
      mend: 'name a package of the Buildfile, as in --set zlib.version=1.3.2',
    });
  if (variable === undefined)
    return {
      words: [`${one.name} had version ${value}, and with it another source`],
      apply: (facts) =>
        isOf(one, facts) ? otherSource({ ...facts, assumed: { ...packageIn(facts), version: value } }) : facts,
    };
  return {
    words: [`variable ${variable} of ${packageId(one)} were ${value}`],
    apply(facts) {
      if (!isOf(one, facts)) return facts;
      const so = packageIn(facts);
      const env = { ...so.recipe.env, [variable]: value };
      return { ...facts, assumed: { ...so, recipe: { ...so.recipe, env } } };
    },
  };
}

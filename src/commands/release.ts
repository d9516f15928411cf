/** `vbuild release create`, `diff` and `drop`: documents that say which artifacts belong together. */
import { resolve } from 'node:path';
import { releaseNaming } from '../artifact/release.ts';
import { sealedText } from '../artifact/sealed.ts';
import { UNSIGNED } from '../artifact/signer.ts';
import { placeRelease } from '../build/place-release.ts';
import { makeRelease, openRelease } from '../build/release.ts';
import { signingKey } from '../build/signing-key.ts';
import { selectTargets } from '../buildfile/targets.ts';
import type { CacheTier } from '../cache/cache.ts';
import { releaseNamed, releasesFolder } from '../cache/layout.ts';
import { tiersToFill } from '../cache/tiers.ts';
import { count } from '../model/count.ts';
import { throwAll, VbuildError } from '../model/error.ts';
import type { Emit } from '../model/event.ts';
import { releaseMarkdown } from '../report/release-markdown.ts';
import { size } from '../report/words.ts';
import { buildRequest } from './build.ts';
import { type Command, type CommandContext, openProject, printResult } from './command.ts';
import { tiersOf } from './lower-tiers.ts';
import { openingOf } from './release-source.ts';

export const releaseCreate: Command = async (context) => {
  const { cwd, line, signing, signal, reporter } = context;
  const [name = '', ...named] = line.targets;
  if (!releaseNaming.test(name))
    throw usage('Release cannot be called so', 'use letters, digits and . + _ -, a letter or digit first', name);
  const project = await openProject(context);
  const { build, workspace } = project;
  const asked = { ...buildRequest(context, project, selectTargets(build, named)), emit: troubles(reporter) };
  const made = await makeRelease(asked, name);
  const key = signingKey(signing, build.trust?.keys);
  const signer = key?.secret.id ?? UNSIGNED;
  const tiers = line.options.push ? tiersToFill(await tiersOf(build.cache, workspace.folder, context, undefined)) : [];
  const file = resolve(cwd, `${name}.release.json`);
  const { release, isNewFile, caches, failures } = await placeRelease(made, {
    file,
    tiers,
    signer,
    seal: (text) => (key === undefined ? Buffer.from(text) : sealedText(text, key.secret, `vbuild release ${name}`)),
    signal,
  });
  if (release.revision?.clean !== true)
    reporter.event({
      type: 'notice',
      level: 'warning',
      code: 'release-unclean',
      headline: 'No commit holds all that this release was made from',
      facts: { revision: release.revision?.commit ?? 'not under version control' },
    });
  const bodies = release.packages.reduce((sum, { body }) => sum + body.sizeBytes, 0);
  const whose = signer === UNSIGNED ? 'not signed' : `signed by ${signer}`;
  printResult(
    context,
    () =>
      [
        `${isNewFile ? `wrote ${file}` : `${file} is there already`}: ${count(release.packages.length, 'package')}, ${size(bodies)} to download, ${whose}\n`,
        ...caches.map((one) =>
          one.outcome === 'written'
            ? `put it into ${one.name} as ${name}\n`
            : `${one.name} has it already as ${name}\n`,
        ),
      ].join(''),
    () => ({ format: 1, type: 'release-created', file, signer, caches: caches.map((one) => one.name), release }),
  );
  throwAll(failures);
  return 0;
};

/** Of all that is looked up only what a cache could not answer as it should. */
const troubles =
  (reporter: CommandContext['reporter']): Emit =>
  (event) => {
    if (event.type === 'cache-looked-up' && ['unreachable', 'rejected'].includes(event.answer)) reporter.event(event);
  };

export const releaseDiff: Command = async (context) => {
  const [one = '', other = ''] = context.line.targets;
  const opening = await openingOf(context);
  const before = await openRelease(one, opening);
  const now = await openRelease(other, opening);
  printResult(
    context,
    () => releaseMarkdown(before, now),
    () => ({ format: 1, type: 'release-diff', before, now, markdown: releaseMarkdown(before, now) }),
  );
  return 0;
};

export const releaseDrop: Command = async (context) => {
  const [name = ''] = context.line.targets;
  const { build, workspace } = await openProject(context);
  const dropped: string[] = [];
  for (const tier of await tiersOf(build.cache, workspace.folder, context, undefined)) {
    const objects = await releasesIn(tier, context);
    for (const object of objects.filter((path) => releaseNamed(path)?.name === name)) {
      await tier.objects?.remove(object, context.signal);
      dropped.push(tier.name);
    }
  }
  if (dropped.length === 0)
    throw new VbuildError('not-ready', 'There is no such release', {
      facts: { expected: name },
      mend: 'check its name; a file of that name is yours to remove',
    });
  printResult(
    context,
    () => dropped.map((tier) => `removed ${name} from ${tier}\n`).join(''),
    () => ({ format: 1, type: 'release-dropped', release: name, caches: dropped }),
  );
  return 0;
};

/** Objects of a tier that are releases; none of one that cannot be listed. */
async function releasesIn(tier: CacheTier, { signal }: CommandContext): Promise<string[]> {
  const listed = (await tier.objects?.all(`${releasesFolder}/`, signal)) ?? [];
  return listed.map((object) => object.name);
}

const usage = (headline: string, mend: string, found?: string): VbuildError =>
  new VbuildError('usage', headline, { facts: found === undefined ? {} : { found }, mend });

/** `vbuild show TARGET…`: everything that decides a package, exact steps and environment included. */
import { gatherFacts, toolsOf } from '../build/facts.ts';
import { fullClosure } from '../build/graph.ts';
import { seriesOf } from '../build/own-series.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { type Lock, readLock } from '../buildfile/pins.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { standardEnvironment } from '../compile/environment.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, openProject, printResult, type Project } from './command.ts';
import { sourceText } from './source-text.ts';

export const show: Command = async (context) => {
  const project = await openProject(context);
  const platform = hostPlatform();
  const lock = readLock(project.workspace.lockFile);
  const descriptions = selectTargets(project.build, context.line.targets).map((one) =>
    describe(one, project, lock, platform),
  );
  printResult(
    context,
    () => descriptions.map(text).join('\n'),
    () => ({ format: 1, packages: descriptions }),
  );
  return 0;
};

type Description = ReturnType<typeof describe>;

function describe(one: Package, { workspace }: Project, lock: Lock, platform: string) {
  const { known } = gatherFacts(fullClosure([one]), { lock, platform, workspace });
  const pins = lock.tools[platform] ?? {};
  const facts = known.get(one);
  return {
    package: packageId(one),
    source: one.source,
    pin: facts?.source,
    contentKey: facts?.key,
    patches: seriesOf(one, workspace.folder).patches.map(({ name, strip }) => ({ name, strip })),
    deps: (one.deps ?? []).map(packageId),
    buildDeps: (one.buildDeps ?? []).map(packageId),
    tools: Object.fromEntries(toolsOf(one).map((tool) => [tool, pins[tool] ?? null])),
    platform,
    recipe: one.recipe.kind,
    steps: one.recipe.steps,
    environment: standardEnvironment(one.recipe),
    network: one.network ?? false,
    packing: {
      remove: one.remove ?? [],
      prefixInBinaries: one.prefixInBinaries ?? [],
      hostLibraries: one.hostLibraries ?? [],
      strip: one.strip ?? true,
    },
    keyText: facts?.keyText,
  };
}

function text(shown: Description): string {
  const { pin } = shown;
  const sections: [string, readonly string[]][] = [
    ['source', [sourceText(shown.source)]],
    [
      'pin',
      pin === undefined
        ? ['none yet; vbuild lock makes one']
        : [JSON.stringify(pin.pin), `tree ${pin.tree}`, ...(pin.series === undefined ? [] : [`series ${pin.series}`])],
    ],
    ['content key', [shown.contentKey ?? 'not known before everything is pinned']],
    ['patches', shown.patches.map(({ name, strip }) => (strip === 1 ? name : `${name} (strip ${strip})`))],
    ['dependencies', [...shown.deps, ...shown.buildDeps.map((id) => `${id} (only while building)`)]],
    ['tools', Object.entries(shown.tools).map(([tool, version]) => `${tool} ${version ?? '(not pinned yet)'}`)],
    ['platform', [shown.platform]],
    [
      `steps (${shown.recipe})`,
      shown.steps.map(({ group, run, in: folder, timeout, silentTimeout }) => {
        const notes = [
          ...(folder === undefined ? [] : [`in ${folder}`]),
          ...(timeout === undefined ? [] : [`at most ${timeout} s`]),
          ...(silentTimeout === undefined ? [] : [`silent at most ${silentTimeout} s`]),
        ];
        const command = typeof run === 'string' ? run.trim() : run.join(' ');
        return `${group.padEnd(9)} ${command}${notes.length === 0 ? '' : `   (${notes.join(', ')})`}`;
      }),
    ],
    ['environment', Object.entries(shown.environment).map(([name, value]) => `${name}=${value}`)],
    ['network', shown.network ? ['steps may reach it'] : []],
    [
      'packing',
      [
        ...shown.packing.remove.map((glob) => `leaves out ${glob}`),
        ...shown.packing.prefixInBinaries.map((glob) => `writes the prefix into ${glob}`),
        ...shown.packing.hostLibraries.map((soname) => `takes ${soname} from the host`),
        ...(shown.packing.strip ? [] : ['strips no symbols']),
      ],
    ],
  ];
  const body = sections.flatMap(([title, lines]) =>
    lines.length === 0 ? [] : [`${title}\n`, ...lines.map((line) => `  ${line.replaceAll('\n', '\n            ')}\n`)],
  );
  return `${shown.package}\n${body.join('')}`;
}

/** `vbuild patch edit`, `save` and `rebase`: the life of a package's patches. */
import type { Saved } from '../build/patch-save.ts';
import { count } from '../model/count.ts';
import { type Command, type CommandContext, printResult } from './command.ts';
import { openOneForPatches } from './patch-context.ts';

export const patchEdit: Command = async (context) => {
  const { request, one } = await openOneForPatches(context);
  const { editPatches } = await import('../build/patch-edit.ts');
  const opened = await editPatches(one, request);
  if (opened.outcome === 'already-open') {
    context.reporter.event({
      type: 'notice',
      level: 'info',
      code: 'patch-edit-open',
      headline: 'Tree is open already, and left as it is',
      package: one.name,
    });
  }
  printResult(
    context,
    () => `${opened.folder}\n`,
    () => ({ format: 1, ...opened }),
  );
  return 0;
};

export const patchSave: Command = async (context) => {
  const { request, one } = await openOneForPatches(context);
  const { savePatches } = await import('../build/patch-save.ts');
  const saved = await savePatches(one, request);
  hint(context, one.name, saved);
  printResult(
    context,
    () => savedText(saved),
    () => ({ format: 1, ...saved }),
  );
  return 0;
};

export const patchRebase: Command = async (context) => {
  const { request, one } = await openOneForPatches(context);
  const { rebasePatches } = await import('../build/patch-rebase.ts');
  const { continue: goesOn, abort } = context.line.options;
  const result = await rebasePatches(one, goesOn ? 'continue' : abort ? 'abort' : 'start', request);
  const text = (): string => {
    if (result.outcome === 'aborted') return 'given up; the patches are as they were\n';
    if (result.outcome === 'rebased') return savedText(result.saved);
    if (result.patches === 0) return 'there are no patches\n';
    return `${count(result.patches, 'patch', 'patches')} ${result.patches === 1 ? 'applies' : 'apply'} as before\n`;
  };
  printResult(context, text, () => ({ format: 1, ...result }));
  return 0;
};

const words = { unchanged: 'unchanged', changed: 'changed', added: 'new' } as const;

function savedText({ patches, dropped }: Saved): string {
  const lines = [
    ...patches.map(({ name, was }) => `${words[was].padEnd(9)}  ${name}\n`),
    ...dropped.map((name) => `dropped    ${name}  (no longer in the series; the file is still there)\n`),
  ];
  return lines.length === 0 ? 'no patches\n' : lines.join('');
}

/** What is left to do by hand. */
function hint({ reporter }: CommandContext, name: string, { folder, moved }: Saved): void {
  if (folder !== undefined) {
    reporter.event({
      type: 'notice',
      level: 'warning',
      code: 'patches-unnamed',
      headline: 'Buildfile does not name these patches yet',
      package: name,
      facts: { 'add to it': `patches: '${folder}',` },
    });
  }
  if (moved) {
    reporter.event({
      type: 'notice',
      level: 'warning',
      code: 'patch-base-moved',
      headline: 'Source is pinned anew since the tree was opened, and the patches fit the one before',
      package: name,
      facts: { 'carry them over': `vbuild patch rebase ${name}` },
    });
  }
}

/** What is told while somebody works on the generations of a prefix: who is waited for, and what was changed by hand. */
import type { InstallRequest } from '../install/install.ts';
import type { Emit } from '../model/event.ts';

export const prefixNotices = (emit: Emit): Required<Pick<InstallRequest, 'onWait' | 'onHandChanges'>> => ({
  onWait: (holder) =>
    emit({
      type: 'notice',
      level: 'info',
      code: 'waiting-for-prefix',
      headline: 'Another vbuild works on this prefix, waiting for it',
      ...(holder && { facts: { process: String(holder.pid) } }),
    }),
  onHandChanges: ({ number, path }, changes) =>
    emit({
      type: 'notice',
      level: 'warning',
      code: 'changed-by-hand',
      headline: `Generation ${number} was changed by hand; the current one has nothing of that`,
      facts: { files: changes.map((one) => `${one.path} ${one.what}`).join(', '), kept: path },
    }),
});

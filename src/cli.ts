/** argv in, exit status out; the only reader of argv and the environment. */
import { quickAnswer } from './system/quick.ts';

// A reader that has seen enough, such as head, is no fault of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

const [argv, cwd, env] = [process.argv.slice(2), currentFolder(), process.env];
const signing = { key: env['VBUILD_SIGNING_KEY'] || undefined, file: env['VBUILD_SIGNING_KEY_FILE'] || undefined };
// Neither a Buildfile nor anything that is run for it gets to see it.
delete env['VBUILD_SIGNING_KEY'];
delete env['VBUILD_SIGNING_KEY_FILE'];
const answer = cwd === undefined ? undefined : quickAnswer({ argv, cwd, env });
if (answer === undefined) {
  const [{ main }, { leaveIfStuck }] = await Promise.all([import('./commands/main.ts'), import('./system/stuck.ts')]);
  const status = await main({ argv, cwd, env, signing, stdout: process.stdout, stderr: process.stderr });
  process.exitCode = status;
  leaveIfStuck(status);
} else process.stderr.write(answer);

/** @returns `undefined` where it is gone, as a release is in which a shell was left open. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

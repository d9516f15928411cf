/**
 * Preloaded into a process, makes every change that it makes to a file system a point at which it can be killed with SIGKILL: nothing
 * in the program itself needs to know, and no point can be forgotten. Plain JavaScript, for it runs before anything else.
 *
 * `KILL_TRACE` is a file to which the name of every point is written, before the change is made. `KILL_AT` is `N NAME`: the process ends
 * when it comes to the Nth point of that name. With `KILL_BY=ENOSPC` the disk is full from then on instead, and with `KILL_BY=EROFS` it takes
 * no change at all any more. A name is a function with a path, from which is taken out what differs from run to run.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_TRACE: trace, KILL_AT: at = '', KILL_ROOT: root = '/', KILL_BY: trouble } = process.env;
const [, count = '0', wanted] = /^(\d+) (.*)$/.exec(at) ?? [];
const { writeSync, openSync } = fs;
const log = trace === undefined ? undefined : openSync(trace, 'a');
let met = 0;
/** What a full disk refuses. */
const growing = /^(appendFile|copyFile|cp|link|mkdir|mkdtemp|open|symlink|write|writeFile|writev)$/;

/** The path without process ids, times and random suffixes; of what is not ours, nothing is a point. */
function nameOf(path) {
  if (typeof path !== 'string' || !path.startsWith(root)) return undefined;
  return path
    .slice(root.length)
    .replace(/\.\d+(\.[0-9a-z]+)?\.tmp/g, '.tmp')
    .replace(/\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp/g, '.tmp')
    .replace(/\b[0-9a-f]{16,64}\b/g, 'DIGEST')
    .replace(/\/\.?\d{12,}(-\d+)?\b/g, '/TIME')
    .replace(/\/steps\/\d+/, '/steps/PID')
    .replace(/(namespace|gone|\.patch)-\w{6}/g, '$1-RANDOM');
}

function point(kind, path) {
  const place = nameOf(path);
  if (place === undefined) return;
  const name = `${kind} ${place}`;
  if (log !== undefined) writeSync(log, `${name}\n`);
  if (name === wanted) met += 1;
  if (wanted === undefined || met < Number(count)) return;
  if (trouble === undefined) process.kill(process.pid, 'SIGKILL');
  // What is written into a pipe is written to no disk.
  if (place.endsWith('/jobserver') || (trouble === 'ENOSPC' && !growing.test(kind))) return;
  throw Object.assign(new Error(`${trouble}: ${kind} '${path}'`), { code: trouble, syscall: kind, path });
}

/** Fails as the function would: at once, or as a promise or callback has it. */
function fail(module, args, error) {
  if (module === fs.promises) return Promise.reject(error);
  const done = args.at(-1);
  if (typeof done !== 'function') throw error;
  return process.nextTick(done, error);
}

/** Which argument is the path that changes. */
const changes = {
  appendFile: 0,
  chmod: 0,
  copyFile: 1,
  cp: 1,
  link: 1,
  lutimes: 0,
  mkdir: 0,
  mkdtemp: 0,
  rename: 1,
  rm: 0,
  rmdir: 0,
  symlink: 1,
  truncate: 0,
  unlink: 0,
  utimes: 0,
  writeFile: 0,
};
const paths = new Map();
const writes = (flags) => (typeof flags === 'number' ? (flags & 3) !== 0 : /[wa+]/.test(flags ?? 'r'));

function watch(module, name, before, after = (result) => result) {
  const real = module[name];
  if (typeof real !== 'function') return;
  module[name] = Object.assign(function (...args) {
    try {
      before(...args);
    } catch (error) {
      return fail(module, args, error);
    }
    return after(real.apply(this, args), ...args);
  }, real);
}

for (const [name, argument] of Object.entries(changes)) {
  for (const [module, suffix] of [
    [fs, 'Sync'],
    [fs, ''],
    [fs.promises, ''],
  ])
    watch(module, name + suffix, (...args) => point(name, args[argument]));
}
const opening = (path, flags) => (writes(flags) ? point('open', path) : undefined);
watch(fs, 'openSync', opening, (fd, path) => (paths.set(fd, path), fd));
watch(fs.promises, 'open', opening);
for (const name of ['writeSync', 'ftruncateSync', 'fsyncSync', 'write', 'writev'])
  watch(fs, name, (fd) => (fd === log || fd < 3 ? undefined : point(name.replace('Sync', ''), paths.get(fd))));
const { open } = fs;
fs.open = function (path, ...rest) {
  try {
    if (typeof rest[0] !== 'function') opening(path, rest[0]);
  } catch (error) {
    return fail(fs, rest, error);
  }
  const done = rest.pop();
  return open.call(this, path, ...rest, (error, fd) => {
    if (!error) paths.set(fd, path);
    done(error, fd);
  });
};
syncBuiltinESMExports();

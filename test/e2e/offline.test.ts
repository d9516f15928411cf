/** The whole command under --offline, watched from outside: it reaches for nothing beyond this machine, whatever caches and mirrors there are. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { gitHttpServer } from '../support/git-http.ts';
import { inGit, makeRepository } from '../support/git-server.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { type Project, projectAt } from '../support/project.ts';
import { tempDir } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';
import { type Ended, runProgram, vbuildBin } from '../support/vbuild.ts';

/**
 * Internet sockets that vbuild or a child of its asked for, one line each. Not those of the program that answers, in a sandbox that has a
 * loopback of its own and no other network, that there is no such host, and of the one that asks it for the name of nothing.
 */
function socketsIn(trace: string): readonly string[] {
  const lines = readFileSync(trace, 'utf8').split('\n');
  const pidOf = (line: string): string => line.split(' ', 1)[0] ?? '';
  const answering = new Set(lines.filter((line) => /execve\("[^"]*\/perl"/.test(line)).map(pidOf));
  const ofLoopback = (line: string): boolean =>
    (answering.has(pidOf(line)) &&
      /SOCK_DGRAM|sin_port=htons\(53\), sin_addr=inet_addr\("127\.0\.0\.1"\)/.test(line)) ||
    /sendto\(\d+, "\\0\\0\\201\\203.*inet_addr\("127\.0\.0\.1"\)/.test(line);
  return lines.filter((line) => /(socket|connect|sendto|sendmsg)\(.*AF_INET/.test(line) && !ofLoopback(line));
}

test('vbuild --offline builds from what is here, and asks for no socket, though caches, mirrors and places are on the net', async (t) => {
  const top = tempDir(t, 'offline');
  const makefile = (name: string): string =>
    `install:\n\tmkdir -p $(DESTDIR)$(PREFIX)\n\techo ${name} >$(DESTDIR)$(PREFIX)/${name}\n`;
  const archive = readFileSync(upstreamTarball(top, { Makefile: makefile('a') }));
  const web = await httpServer(t, (request, response) => {
    if (request.url === '/a.tar.gz') serve(request, response, archive);
    else response.writeHead(404).end();
  });
  makeRepository(join(top, 'served/b'), { Makefile: makefile('b') });
  inGit(join(top, 'served/b'), 'tag', 'v1');
  const repositories = await gitHttpServer(t, join(top, 'served'));
  upstreamTarball(join(top, 'site'), { Makefile: makefile('c') }, 'c.tar.gz');
  mkdirSync(join(top, 'cache'));
  const site = projectAt(join(top, 'site'), join(top, 'home'));
  const buildfile = (path: string): string =>
    `import { defineBuild, definePackage, directoryCache, git, httpCache, make, mirror, place, s3, tarball } from 'vbuild';
const recipe = make({ variables: { PREFIX: place.prefix } });
const a = definePackage('a', { version: '1', source: tarball('${web.url}/${path}'), recipe });
const b = definePackage('b', { version: '1', source: git('${repositories.url}/b', { rev: 'v1' }), recipe });
const c = definePackage('c', { version: '1', source: tarball('c.tar.gz'), recipe });
export default defineBuild({
  packages: [a, b, c],
  cache: [directoryCache('${join(top, 'cache')}'), httpCache('${web.url}/cache'), s3({ bucket: 'vendor', endpoint: '${web.url}' })],
  mirrors: [mirror('http://', { to: 'http://localhost:9/mirror/' })],
});
`;
  site.write({ 'Buildfile.ts': buildfile('a.tar.gz') });
  let traces = 0;
  const watched = async (at: Project, ...args: readonly string[]): Promise<Ended & { sockets: readonly string[] }> => {
    const trace = join(top, `trace${(traces += 1)}`);
    const watch = ['-f', '-qq', '-e', 'trace=execve,socket,connect,sendto,sendmsg', '-e', 'signal=none', '-o', trace];
    const env = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
    const ended = await runProgram(['strace', ...watch, vbuildBin, ...args], { cwd: at.path, home: at.home, env });
    return { ...ended, sockets: socketsIn(trace) };
  };

  const online = insistOnSuccess(await watched(site, 'lock'));
  assert.ok(
    online.sockets.some((line) => line.includes('socket(')),
    'what watches must see the sockets of an honest run',
  );
  assert.ok(online.sockets.some((line) => line.includes('connect(')));
  const seen = (): number => web.seen.length + repositories.seen.length;
  const before = seen();

  const offline = insistOnSuccess(await watched(site, '--offline', '--json'));
  assert.equal(eventsOf(offline).outcomes?.built, 3);
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => site.read(`vendor/${name}`)),
    ['a\n', 'b\n', 'c\n'],
  );
  assert.deepEqual(offline.sockets, []);

  // What is not here stays away.
  site.write({ 'Buildfile.ts': buildfile('other.tar.gz') });
  const lacking = await watched(site, '--offline', '--json');
  assert.equal(lacking.exitStatus, 1, lacking.stderr);
  assert.deepEqual(
    eventsOf(lacking).errors.map(({ code }) => code),
    ['download-failed'],
  );
  assert.deepEqual(lacking.sockets, []);
  assert.equal(seen(), before);
});

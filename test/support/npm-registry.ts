/** An npm registry on loopback with as many packages as a test gives it, faults included. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { httpServer, type TestServer } from './http-server.ts';
import type { WithCleanUp } from './temp.ts';

export interface Offer {
  readonly name: string;
  readonly version: string;
  readonly tarball: Uint8Array;
  /** What the registry states; the true one when not given, none at all for `null`. */
  readonly integrity?: string | null;
}

export interface Registry extends TestServer {
  /** What is offered from now on; nothing else is. */
  publish(offers: readonly Offer[]): void;
  /** Writes an `.npmrc` that makes this the registry, with the token that it asks for if there is one. */
  configure(folder: string, token?: string): void;
}

/** @param token Without it no request is answered. */
export async function npmRegistry(t: WithCleanUp, token?: string): Promise<Registry> {
  let offers: readonly Offer[] = [];
  const server = await httpServer(t, (request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const file = offers.find((one) => path === fileOf(one));
    const versions = offers.filter(({ name }) => name === path);
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      response.writeHead(401).end('{"error":"log in"}');
    else if (file !== undefined) response.writeHead(200).end(file.tarball);
    else if (versions.length === 0) response.writeHead(404).end('{"error":"not_found"}');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(listing(path, versions, server.url));
  });
  return {
    ...server,
    publish: (now) => void (offers = now),
    configure(folder, secret) {
      const place = server.url.replace(/^http:/, '');
      const login = secret === undefined ? '' : `${place}/:_authToken=${secret}\n`;
      writeFileSync(join(folder, '.npmrc'), `registry=${server.url}/\nfetch-retries=0\n${login}`);
    },
  };
}

const fileOf = ({ name, version }: Offer): string => `${name}/-/${name.replace(/^.*\//, '')}-${version}.tgz`;

const listing = (name: string, versions: readonly Offer[], url: string): string =>
  JSON.stringify({
    name,
    'dist-tags': { latest: versions.at(-1)?.version },
    versions: Object.fromEntries(versions.map((one) => [one.version, described(one, url)])),
  });

function described(one: Offer, url: string): object {
  const { name, version, tarball, integrity } = one;
  const stated =
    integrity === undefined ? `sha512-${createHash('sha512').update(tarball).digest('base64')}` : integrity;
  return {
    name,
    version,
    dist: {
      tarball: `${url}/${fileOf(one)}`,
      shasum: createHash('sha1').update(tarball).digest('hex'),
      ...(stated !== null && { integrity: stated }),
    },
  };
}

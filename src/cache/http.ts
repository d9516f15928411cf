/** A plain web server as a cache tier, for reading only. */
import { shownUrl } from '../system/http.ts';
import type { HttpTrouble } from '../system/http-objects.ts';
import type { Trouble } from './asking.ts';
import type { CacheTier } from './cache.ts';
import type { HttpCacheSpec } from './http-spec.ts';
import { objectTier } from './object-tier.ts';
import { type Patience, defaultPatience } from './patience.ts';
import type { Trust } from './trust.ts';

/** @param env For the proxy variables. */
export function httpTier(
  { url }: HttpCacheSpec,
  env: Readonly<Record<string, string | undefined>>,
  { trust, patience = defaultPatience }: { readonly trust?: Trust | undefined; readonly patience?: Patience } = {},
): CacheTier {
  const top = url.replace(/\/+$/, '');
  const name = shownUrl(top).replace(/\/$/, '');
  return objectTier(
    {
      name,
      writable: false,
      pages: false,
      within: (object) => object,
      shown: (object) => `${name}/${object}`,
      open: async () => (await import('../system/http-objects.ts')).openHttp({ url: top, env, ...patience }),
      judge: (thrown) => httpTrouble(thrown as Thrown),
    },
    trust,
    patience,
  );
}

type Thrown = Pick<Error, 'name' | 'message'> & Partial<Pick<HttpTrouble, 'status' | 'passing'>>;

function httpTrouble({ name, message, status, passing = false }: Thrown): Trouble {
  if (name === 'Damaged') return { outcome: 'rejected', reason: message, mend: 'have the object removed' };
  if (status === 404 || status === 410) return { outcome: 'absent' };
  const mend = 'check the URL, the network and the proxy settings';
  const unreachable = (reason: string, everywhere: boolean, again = false): Trouble => ({
    outcome: 'unreachable',
    reason,
    mend,
    everywhere,
    passing: again,
  });
  if (name === 'NotFromStore') return unreachable('what answered is not a cache but a web page', true);
  if (status === 401 || status === 403) return unreachable(`access denied (${status})`, false);
  return unreachable(message, true, name === 'HttpTrouble' ? passing : true);
}

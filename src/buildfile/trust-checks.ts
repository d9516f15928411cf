/** What the option `trust` of a build must be (pure). */
import { minisignKey, minisignSecretKey } from '../key/minisign.ts';
import { type Check, isRecord, listOf, type Mistake, oneOf, record, spelt, wrong } from './checks.ts';

/** The form of every part first, then what the parts are to one another. */
export const trustCheck: Check = (value, option) => {
  const roles = keysOf(value).flatMap(({ role }) => (typeof role === 'string' ? role : []));
  const form = record(
    'keys, and if need be require',
    {
      keys: (keys, at) =>
        Array.isArray(keys) && keys.length === 0 ? wrong(at, 'at least one key', keys) : keyList(keys, at),
      require: record('builder, ref or both', { builder: oneOf([...new Set(roles)]), ref: refCheck }, []),
    },
    ['keys'],
  );
  return [...form(value, option), ...repeated(keysOf(value), `${option}.keys`)];
};

const refCheck = spelt(/^(?!refs\/heads\/)[^\s~^:?*[\\]+$/, 'a branch such as main, or the full name of another ref');

const publicKeyCheck: Check = (value, option) => {
  const expected = 'a public key: one line of base64, as vbuild key new prints it';
  if (typeof value !== 'string') return wrong(option, expected, value);
  if (minisignKey(value) !== undefined) return [];
  // Whatever it is, it is not to be shown.
  const secret = minisignSecretKey(value) !== undefined;
  const mend = secret
    ? 'take it out, and trust this key no more: whoever has read the Buildfile can sign with it'
    : `correct ${option}`;
  return [
    {
      headline: 'Option has a wrong value',
      facts: { option, expected, found: secret ? 'a secret key' : `a text of ${value.length} letters` },
      mend,
    },
  ];
};

const word = spelt(/^[^\p{Cc}\s]{1,100}$/u, 'a short text without blanks');
const keyList = listOf(
  'a list of keys',
  record('name, publicKey and role', { name: word, publicKey: publicKeyCheck, role: word }, [
    'name',
    'publicKey',
    'role',
  ]),
);

const keysOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  isRecord(value) && Array.isArray(value['keys']) ? value['keys'].filter((one) => isRecord(one)) : [];

/** Two keys of one name cannot be told apart in messages, and two of one id would lie in one place. */
function repeated(keys: ReturnType<typeof keysOf>, option: string): Mistake[] {
  const named = keys.map(({ name, publicKey }) => ({
    name: typeof name === 'string' ? name : undefined,
    id: typeof publicKey === 'string' ? minisignKey(publicKey)?.id : undefined,
  }));
  return (['name', 'id'] as const).flatMap((part) =>
    named.flatMap((one, at): Mistake[] => {
      const what = one[part];
      if (what === undefined || named.findIndex((other) => other[part] === what) === at) return [];
      return [
        {
          headline: 'Two keys bear one name',
          facts: { option: `${option}[${at}]`, expected: `another ${part}`, found: what },
          mend: 'leave one of them out, or name them apart',
        },
      ];
    }),
  );
}

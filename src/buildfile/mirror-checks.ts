/** What the option `mirrors` of a build must be (pure). */
import { isEscaped, pathOfFileUrl } from '../sources/spec-checks.ts';
import { type Check, isRecord, listOf, type Mistake, oneOf, record, wrong } from './checks.ts';

const beginning: Check = (value, option) => {
  const expected = 'the beginning of URLs, up to a slash or a colon, such as https://github.com/';
  // A beginning such as https://github.com would take https://github.company.example along.
  const wellFormed =
    typeof value === 'string' &&
    /^([a-z][a-z0-9+.-]*:\/\/|[^/\s]+:$|[^/\s]+:[^/])\S*$/i.test(value) &&
    !/[?#]/.test(value);
  if (!wellFormed) return wrong(option, expected, value);
  if (/^(file|s3):/i.test(value))
    return wrong(option, 'a place on the net, not a file or a bucket', value, 'name the mirror itself in the source');
  return /[/:]$/.test(value) ? [] : wrong(option, expected, value, `write '${value}/'`);
};

const destination: Check = (value, option) => {
  const expected = 'a URL, or a folder relative to the Buildfile';
  if (typeof value !== 'string' || value === '' || /^-|::|[\0\n\r]/.test(value)) return wrong(option, expected, value);
  if (/^s3:/i.test(value) && !/^s3:\/\/[a-z0-9][a-z0-9.-]+(\/|$)/i.test(value))
    return wrong(option, 'a bucket and if need be a folder in it, such as s3://bucket/src/', value);
  if (/^(https?|file):/i.test(value) && !URL.canParse(value)) return wrong(option, expected, value);
  if (/^file:/i.test(value) && pathOfFileUrl(value) === undefined)
    return wrong(option, 'a folder of this machine', value);
  if (/^s3:/i.test(value) && !isEscaped(value)) return wrong(option, 'a URL, with % of a name written as %25', value);
  return /^(https?|s3|file):.*[?#]/i.test(value) ? wrong(option, 'a URL without a query', value) : [];
};

const digestPlace = /^((https?|s3|file):\/\/|(?![^/]*:))/i;

/** The form of each rule first, then what the rules are to one another. */
export const mirrorList: Check = (value, option) => [
  ...listOf('a list of what mirror() returns', ruleMistakes)(value, option),
  ...(Array.isArray(value) ? repeated(value, option) : []),
];

const ruleMistakes: Check = (value, option) => {
  if (!isRecord(value) || value['kind'] !== 'mirror')
    return wrong(option, 'what mirror() returns', value, "write mirror('https://…/', { to: '…' })");
  const { kind: _, ...rule } = value;
  const form = record(
    'from and to, and if need be when and by',
    { from: beginning, to: destination, when: oneOf(['before', 'after']), by: oneOf(['name', 'digest']) },
    ['from', 'to'],
  );
  const { by, to } = rule as { readonly by?: unknown; readonly to?: unknown };
  const unreachable = by === 'digest' && typeof to === 'string' && to !== '' && !digestPlace.test(to);
  return [
    ...form(rule, option),
    ...(unreachable
      ? wrong(`${option}.to`, 'an http:, https:, s3: or file: URL or a folder, where archives lie by digest', to)
      : []),
  ];
};

/** Of two equal rules the second one can never serve. */
function repeated(rules: readonly unknown[], option: string): Mistake[] {
  const said = rules.map((rule) =>
    isRecord(rule) ? JSON.stringify([rule['from'], rule['to'], rule['by'] ?? 'name']) : undefined,
  );
  return said.flatMap((one, at) => {
    const first = said.indexOf(one);
    if (one === undefined || first === at) return [];
    return [
      {
        headline: 'Two mirrors are the same',
        facts: {
          option: `${option}[${at}]`,
          expected: 'another beginning or another place',
          found: `as ${option}[${first}]`,
        },
        mend: 'leave one of them out',
      },
    ];
  });
}

/** A closure as a CycloneDX bill of materials, version 1.6 (pure). @see CycloneDX/specification, schema/bom-1.6.schema.json */
import { isUtf8 } from 'node:buffer';
import { packageId } from '../buildfile/package.ts';
import { canonicalJson } from '../key/fields.ts';
import { digestOf } from '../model/digest.ts';
import { version as vbuildVersion } from '../model/version.ts';
import { packageUrl } from '../sources/origin.ts';
import type { Part, PartPatch } from './parts.ts';

/** A part with the bytes of its patches. */
interface PartWithTexts extends Part {
  readonly texts: readonly Uint8Array[];
}

/**
 * @param parts   Each after those that it needs.
 * @param subject What the parts are parts of: a name, and the packages that were asked for as `name@version`.
 * @param time    Of making the document.
 * @returns Plain JSON; equal parts at an equal time give equal bytes.
 */
export function cycloneDx(
  parts: readonly PartWithTexts[],
  subject: { readonly name: string; readonly targets: readonly string[] },
  time: Date,
): object {
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: time.toISOString(),
      lifecycles: [{ phase: 'build' }],
      tools: { components: [{ type: 'application', name: 'vbuild', version: vbuildVersion }] },
      component: { type: 'application', 'bom-ref': 'subject', name: subject.name },
    },
    components: parts.map(component),
    dependencies: [
      { ref: 'subject', dependsOn: subject.targets },
      ...parts.map(({ id, package: one }) => ({ ref: id, dependsOn: (one.deps ?? []).map(packageId).sort() })),
    ],
  };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    serialNumber: `urn:uuid:${uuidOf(canonicalJson(document))}`,
    ...document,
  };
}

function component(part: PartWithTexts): object {
  const { id, package: one, installed, origin, source, licences, key, patches } = part;
  const { name, version } = one;
  const purl = origin.purl ?? genericUrl(part);
  const own = licences.filter(({ isOwn }) => isOwn);
  const observed = idsOf(licences);
  const found = references(part);
  const properties = [
    ...(key === undefined ? [] : [['vbuild:key', key]]),
    ['vbuild:source:kind', source.pin.kind],
    ['vbuild:source:tree', source.tree],
    ...(origin.repository === undefined ? [] : [['vbuild:source:repository', origin.repository]]),
    ...(origin.archives ?? []).map((archive) => ['vbuild:source:archive', `${archive.name} sha256:${archive.digest}`]),
    ...licences.map(({ path, ids }) => ['vbuild:licence', ids.length === 0 ? path : `${path}: ${ids.join(' ')}`]),
  ].map(([property, value]) => ({ name: property, value }));
  const upstream = { type: 'library', name, version, purl };
  return {
    type: 'library',
    'bom-ref': id,
    name,
    version,
    scope: installed ? 'required' : 'excluded',
    ...(own.length > 0 && { licenses: declared(own) }),
    purl,
    ...(patches.length > 0 && {
      pedigree: { ancestors: [upstream], patches: patches.map((patch, at) => patched(patch, part.texts[at])) },
    }),
    ...(found.length > 0 && { externalReferences: found }),
    ...(observed.length > 0 && { evidence: { licenses: observed.map((known) => ({ license: { id: known } })) } }),
    properties,
  };
}

/** For what no registry knows: the name, and where exactly this comes from. */
function genericUrl({ package: { name, version }, origin: { repository, archives = [] } }: Part): string {
  const [first] = archives;
  return packageUrl('generic', [name], version, {
    vcs_url: repository,
    download_url: first?.url,
    checksum: first === undefined ? undefined : `sha256:${first.digest}`,
  });
}

function references({ origin: { archives = [], repository } }: Part): object[] {
  return [
    ...archives.flatMap(({ url, digest }) =>
      url === undefined
        ? []
        : [{ type: 'source-distribution', url: iri(url), hashes: [{ alg: 'SHA-256', content: digest }] }],
    ),
    ...(repository === undefined ? [] : [{ type: 'vcs', url: iri(repository) }]),
  ];
}

/** An address as RFC 3987 wants it, from one in which people wrote blanks. */
const iri = (address: string): string => address.replace(/[\s<>"{}|\\^`]/g, encodeURIComponent);
const iriOfPath = (path: string): string => path.replace(/[\s<>"{}|\\^`%#?:]/g, encodeURIComponent);

const idsOf = (texts: Part['licences']): string[] => [...new Set(texts.flatMap(({ ids }) => ids))].sort();

/** What a package's own licence files say; only where none of them is known, their names. */
function declared(own: Part['licences']): object[] {
  const ids = idsOf(own);
  return ids.length > 0
    ? ids.map((id) => ({ license: { id, acknowledgement: 'declared' } }))
    : own.map(({ path }) => ({ license: { name: path, acknowledgement: 'declared' } }));
}

function patched({ name, by }: PartPatch, bytes: Uint8Array = new Uint8Array()): object {
  const text = Buffer.from(bytes);
  const content = isUtf8(text)
    ? { content: text.toString() }
    : { encoding: 'base64', content: text.toString('base64') };
  const [head = ''] = text.toString('latin1').split(/^(?:--- |diff |Index: )/m);
  const named = [...new Set(`${name}\n${head}`.match(/\bCVE-\d{4}-\d{4,}/g))].sort();
  return {
    // Whose it is in CycloneDX's words: of neither the makers nor the maintainers of the software.
    type: 'unofficial',
    diff: {
      text: { contentType: 'text/x-diff', ...content },
      url: iriOfPath(by === 'upstream' ? `upstream-patches/${name}` : name),
    },
    ...(named.length > 0 && { resolves: named.map((id) => ({ type: 'security', id })) }),
  };
}

/** Of the shape that RFC 9562 gives to version 8, whose bits are the maker's own. */
function uuidOf(text: string): string {
  const digits = digestOf(text);
  const variant = ((Number.parseInt(digits[16] ?? '0', 16) & 3) | 8).toString(16);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    variant + digits.slice(17, 20),
    digits.slice(20, 32),
  ].join('-');
}

/** Versions as Debian writes them: their order, and the upstream version inside. */

/** What upstream calls it: Debian's version without epoch, Debian revision, and what Debian adds when it repacks an archive. */
export function upstreamVersion(debianVersion: string): string {
  return debianVersion
    .replace(/^\d+:/, '')
    .replace(/-[^-]*$/, '')
    .replace(/^.*\+really/, '') // an older upstream under a number that sorts as newer
    .replace(/\+~.*$/, '') // versions of further archives that came along
    .replace(/(?:[.+~](?:dfsg|ds|repack|debian)[.\d]*)+$/, '');
}

/** Whether a Debian version is of the upstream version; pre-releases may be written `2.0~rc1`, `2.0-rc1` or `2.0rc1`. */
export function isOfUpstream(debianVersion: string, upstream: string): boolean {
  return plain(upstreamVersion(debianVersion)) === plain(upstream);
}

const plain = (version: string): string => version.replaceAll(/[~_-](?=[a-z])/gi, '');

/**
 * Negative when `a` is older than `b`, positive when it is newer, zero when they are the same version.
 * @see Debian Policy Manual, section 5.6.12: epoch as a number, then upstream version, then revision.
 */
export function compareDebianVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

function parts(version: string): { readonly epoch: number; readonly upstream: string; readonly revision: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? [];
  const dash = rest.lastIndexOf('-');
  return dash < 0
    ? { epoch: Number(epoch), upstream: rest, revision: '' }
    : { epoch: Number(epoch), upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

/** Runs of other characters and runs of digits in turn, beginning with the former. */
function compareParts(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => [...text.matchAll(/(\D*)(\d*)/g)]) as [
    RegExpExecArray[],
    RegExpExecArray[],
  ];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [, leftText = '', leftDigits = ''] = left[at] ?? [];
    const [, rightText = '', rightDigits = ''] = right[at] ?? [];
    const order = compareText(leftText, rightText) || Number(BigInt(leftDigits) - BigInt(rightDigits));
    if (order !== 0) return order;
  }
  return 0;
}

/** `~` before the end, the end before letters, letters before all else. */
function compareText(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const order = weight(a[at]) - weight(b[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function weight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  return /[a-z]/i.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

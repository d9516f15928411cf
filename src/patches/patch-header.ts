/** What people wrote above the diff of a patch, as a commit's message and author, and the way back (pure). */
import { parsePatch } from './parse.ts';

/** A patch cut in two, latin1: together they are the file. */
interface PatchParts {
  /** Everything above the diff. */
  readonly header: string;
  readonly diff: string;
}

/** Where the diff begins: at the first header of the first section, with the lines above it that belong to it. */
export function patchParts(text: string): PatchParts {
  const first = parsePatch(text, 'patch', 'dpkg')[0]?.line;
  if (first === undefined) return { header: text, diff: '' };
  const lines = text.split('\n');
  let at = first - 1;
  while (at > 0 && /^(diff |Index: |=+\r?$)/.test(lines[at - 1] ?? '')) at -= 1;
  const header = lines.slice(0, at).map((line) => `${line}\n`);
  return { header: header.join(''), diff: lines.slice(at).join('\n') };
}

interface HeaderAuthor {
  readonly name: string;
  readonly email: string;
  /** Seconds since 1970; undefined where the header gives no date that can be read. */
  readonly seconds: number | undefined;
}

/** Who a header says wrote the patch, in the ways of mails and of DEP-3. */
export function headerAuthor(header: string): HeaderAuthor | undefined {
  const match = /^(?:From|Author): *([^\n<>]*?) *<([^<>\s]+)>/im.exec(decodeHeader(header));
  const [, name = '', email] = match ?? [];
  if (email === undefined) return undefined;
  const date = Date.parse(/^Date: *(.+)$/im.exec(header)?.[1] ?? '');
  const plain = decodeWords(name).replace(/^"(.*)"$/, '$1');
  // git forbids these and a name without any letter.
  const clean = plain.replace(/[\n<>\0]/g, '').trim();
  return {
    name: /[\p{L}\p{N}]/u.test(clean) ? clean : email,
    email,
    seconds: date >= 0 ? Math.floor(date / 1000) : undefined,
  };
}

/** The message of the commit that stands for a patch: subject and text of a mail, else the header as it is. `name` stands in for none. */
export function messageOf(header: string, name: string): string {
  const text = decodeHeader(header);
  const mail = mailIn(text);
  const message = mail === undefined ? spaced(text.replace(/\n---\s*$/, '\n')) : `${mail.subject}\n\n${mail.body}`;
  const cleaned = cleanMessage(message);
  return cleaned === '' ? name : cleaned;
}

/** DEP-3 fields with a blank line behind the first line, which makes that line the subject of a commit. */
const spaced = (text: string): string => text.replace(firstLine, '$1\n');
const firstLine = /^([A-Za-z][A-Za-z-]*:.*\n)(?=[ \t]+\S|[A-Za-z][A-Za-z-]*:)/;
const firstGap = /^([A-Za-z][A-Za-z-]*:.*\n)\n(?=[ \t]+\S|[A-Za-z][A-Za-z-]*:)/;

/**
 * A header that says what a new message says.
 *
 * @param header The one that the patch had; for a mail, all of it but subject and text stays.
 * @returns latin1
 */
export function withMessage(header: string, message: string): string {
  const mail = mailIn(decodeHeader(header));
  const [subject = '', ...body] = cleanMessage(message).split('\n');
  const text = body.join('\n').trim();
  if (mail === undefined) {
    const whole = cleanMessage(message);
    return encode(`${spaced(header) === header ? whole : whole.replace(firstGap, '$1')}\n\n`);
  }
  return encode(
    `${mail.block.replace(subjectField, () => `Subject: ${mail.tag}${subject}\n`)}\n${text === '' ? '' : `${text}\n`}---\n`,
  );
}

/** The header of a patch that had none before, in the form of `git format-patch`, but with nothing in it that differs from day to day. */
export function newHeader(author: string, date: string, message: string): string {
  const [subject = '', ...body] = cleanMessage(message).split('\n');
  const text = body.join('\n').trim();
  return encode(`From: ${author}\nDate: ${date}\nSubject: ${subject}\n\n${text === '' ? '' : `${text}\n`}---\n`);
}

/** Whether a header is a mail with a list of changed files, and the part of it above that list. */
export function aboveStat(header: string): string | undefined {
  const match = /^---\r?\n(?=(?: .*\n)* \d+ files? changed)/m.exec(header);
  return match === null ? undefined : header.slice(0, match.index + match[0].length);
}

/** As git leaves a message that an editor had: no blanks at line ends, no blank lines in a row, no comment lines. */
export const cleanMessage = (message: string): string =>
  message
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();

const trailer = /^Vbuild-Patch: (.+)$/m;

/** Names the patch that a commit stands for, so that the name survives amending and reordering. */
export const withName = (message: string, name: string): string => `${message}\n\nVbuild-Patch: ${name}\n`;

/** The message without the name, and the name; of several names the first one counts. */
export function nameIn(message: string): { readonly name: string | undefined; readonly message: string } {
  return { name: trailer.exec(message)?.[1], message: message.replace(new RegExp(trailer, 'gm'), '') };
}

/** A file name made of a message's first line, such as `fix-the-overflow.patch`. */
export function fileNameFor(message: string): string {
  const [subject = ''] = cleanMessage(message).split('\n');
  const words = subject
    .normalize('NFKD')
    .toLowerCase()
    .replace(/^(description|subject): */, '')
    .replace(/[^a-z0-9._]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 52)
    .replace(/[-.]+$/, '');
  return `${words === '' ? 'change' : words}.patch`;
}

interface Mail {
  /** The fields, an envelope line included, each with its line end. */
  readonly block: string;
  readonly subject: string;
  /** Such as `[PATCH 1/2] `. */
  readonly tag: string;
  readonly body: string;
}

const subjectField = /^Subject:.*\n(?:[ \t].*\n)*/im;

/** Reads a header as a mail: fields from the first line on, a subject among them, then text up to a line of three dashes. */
function mailIn(text: string): Mail | undefined {
  const match = /^((?:From [0-9a-f]{7,64} .*\n)?(?:[A-Za-z][A-Za-z0-9-]*:.*\n(?:[ \t]+\S.*\n)*)+)(?:\r?\n|$)/.exec(
    text,
  );
  const block = match?.[1];
  const field = block === undefined ? undefined : subjectField.exec(block)?.[0];
  if (block === undefined || field === undefined || !/^From[: ]/m.test(block)) return undefined;
  const raw = decodeWords(
    field
      .replace(/^Subject:\s*/i, '')
      .replace(/\r?\n[ \t]+/g, ' ')
      .trim(),
  );
  const tag = /^\[[^\]\n]*PATCH[^\]\n]*\]\s*/.exec(raw)?.[0] ?? '';
  const body = (text.slice(match?.[0].length ?? 0).split(/^---\s*$/m)[0] ?? '').trim();
  return { block, subject: raw.slice(tag.length), tag, body };
}

/** RFC 2047: words such as `=?UTF-8?q?J=C3=BCrgen?=`; what cannot be read stays as it is. */
function decodeWords(text: string): string {
  return text
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(/=\?([\w-]+)\?([bq])\?([^?\s]*)\?=/gi, (whole, charset: string, how: string, data: string) => {
      const bytes =
        how.toLowerCase() === 'b'
          ? Buffer.from(data, 'base64')
          : Buffer.from(
              data
                .replaceAll('_', ' ')
                .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
              'latin1',
            );
      if (/^(utf-8|us-ascii)$/i.test(charset)) return bytes.toString();
      return /^iso-8859-1$/i.test(charset) ? bytes.toString('latin1') : whole;
    });
}

/** UTF-8 where the bytes are, else latin1, which every text is. */
function decodeHeader(header: string): string {
  const bytes = Buffer.from(header, 'latin1');
  const text = bytes.toString();
  return (Buffer.from(text).equals(bytes) ? text : header).replaceAll('\r\n', '\n').replaceAll('\0', '');
}

const encode = (text: string): string => Buffer.from(text).toString('latin1');

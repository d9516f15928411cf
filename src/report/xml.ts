/** Text inside of SVG and HTML (pure). */
import { printable } from './printable.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Any text as content of an element or of a quoted attribute; nothing in it can end either. */
export const escapedXml = (text: string): string =>
  printable(text).replaceAll(/[&<>"']/g, (one) => entities[one] ?? one);

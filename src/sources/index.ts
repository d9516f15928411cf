/** The list of source kinds. */
export type SourceSpec = { readonly kind: string };

/** What the example of the project is made of. */

/** Ids of PIL and all that it needs, each after its dependencies. */
export const closure = [
  'zlib@1.2.13',
  'libjpeg-turbo@2.1.5',
  'libpng@1.6.39',
  'freetype@2.12.1',
  'libwebp@1.2.4',
  'lcms2@2.14',
  'tiff@4.5.0',
  'openjpeg@2.5.0',
  'pil@9.4.0',
] as const;

/**
 * PIL from upstream source: Pillow and the eight C libraries under it, with this site's patches.
 *
 *     vbuild pil -f Buildfile.example.ts
 *
 * Read it from top to bottom as a tutorial. A Buildfile is TypeScript, run as it is: packages are values, so the editor
 * completes their names, and `tsc` finds a misspelt one.
 */
import { autotools, cmake, debian, defineBuild, definePackage, git, make, place, python, s3, tarball } from 'vbuild';

// A package is a name, upstream's version, a source and a recipe. This source is the one that the machine's own apt offers:
// upstream's archive and, with `patches: true`, Debian's series on top. The first run writes down exactly which files these
// were, in Buildfile.example.lock; every later run insists on them. If Debian moves on to another upstream version than the
// one named here, vbuild says so instead of building it.
//
// zlib has a configure script and a makefile, both written by hand; that is what `make()` is for. Recipes name places by
// symbols: `place.prefix` is where the package will believe that it lives. Its `make install` also builds the static
// library, and `remove` leaves that out of the artifact.
const zlib = definePackage('zlib', {
  version: '1.2.13',
  source: debian('zlib', { patches: true }),
  recipe: make({ configure: ['./configure', `--prefix=${place.prefix}`], targets: ['shared'] }),
  remove: ['lib/*.a'],
});

// `patches` is a folder of ours beside this file, applied after Debian's series, strictly: a patch that does not fit to the
// byte fails the build and says where. `tools` are programs that compiling needs and the recipe cannot know of. Without
// nasm, this library would build all the same, half again as slow; a declared tool is looked for before anything is
// compiled, and its version counts in the content key.
const libjpegTurbo = definePackage('libjpeg-turbo', {
  version: '2.1.5',
  source: debian('libjpeg-turbo', { patches: true }),
  patches: 'patches/libjpeg-turbo',
  recipe: cmake({
    configure: ['-DENABLE_STATIC=OFF', '-DWITH_JAVA=OFF', '-DWITH_SIMD=ON', '-DREQUIRE_SIMD=ON'],
    tools: ['nasm'],
  }),
});

// Debian's source packages do not always bear the package's name. `deps` are values, not names: libpng links with zlib,
// and while it compiles it sees zlib and nothing else of what is built here. One of Debian's patches touches Makefile.am,
// which may be without effect unless configure is made anew; so `autoreconf` is set, and vbuild warns where it is forgotten.
const libpng = definePackage('libpng', {
  version: '1.6.39',
  source: debian('libpng1.6', { patches: true }),
  deps: [zlib],
  recipe: autotools({ autoreconf: true }),
});

// A configure script takes what it happens to find on the machine, unless it is told not to. An option that it does not
// know is an error here: it may be misspelt, or gone with an upgrade.
const freetype = definePackage('freetype', {
  version: '2.12.1',
  source: debian('freetype', { patches: true }),
  deps: [zlib, libpng],
  recipe: autotools({
    configure: [
      '--enable-freetype-config=no',
      '--with-zlib=yes',
      '--with-png=yes',
      '--with-bzip2=no',
      '--with-harfbuzz=no',
      '--with-brotli=no',
      '--with-librsvg=no',
    ],
  }),
});

// Being TypeScript, a list of options can be computed.
const without = (...features: readonly string[]): string[] => features.map((feature) => `--disable-${feature}`);

const libwebp = definePackage('libwebp', {
  version: '1.2.4',
  source: debian('libwebp', { patches: true }),
  recipe: autotools({
    configure: [
      '--enable-libwebpmux',
      '--enable-libwebpdemux',
      ...without('gl', 'sdl', 'png', 'jpeg', 'tiff', 'gif', 'wic'),
    ],
  }),
});

// Here it is configure.ac that a patch touches.
const lcms2 = definePackage('lcms2', {
  version: '2.14',
  source: debian('lcms2', { patches: true }),
  recipe: autotools({ autoreconf: true, configure: ['--without-jpeg', '--without-tiff'] }),
});

// And this archive comes without a configure script.
const tiff = definePackage('tiff', {
  version: '4.5.0',
  source: debian('tiff', { patches: true }),
  deps: [zlib, libjpegTurbo, libwebp],
  recipe: autotools({
    autoreconf: true,
    configure: [
      ...without('cxx', 'opengl', 'jbig', 'lerc', 'lzma', 'zstd', 'libdeflate', 'docs', 'sphinx', 'tests', 'contrib'),
      '--enable-webp',
      '--without-x',
    ],
  }),
});

const openjpeg = definePackage('openjpeg', {
  version: '2.5.0',
  source: debian('openjpeg2', { patches: true }),
  recipe: cmake({
    configure: ['-DBUILD_STATIC_LIBS=OFF', '-DBUILD_CODEC=OFF', '-DBUILD_TESTING=OFF', '-DBUILD_DOC=OFF'],
  }),
});

// The one that all of this is for. `python()` builds a wheel, offline, and installs it into lib/pythonX.Y/site-packages of
// the prefix. This Pillow still takes its features from setup.cfg: each one is asked for by name, so that a library that
// is not found is an error, or turned off by name. `place.jobs` is this package's share of the jobs that run at once; it
// never counts in the content key.
const features = {
  'disable-platform-guessing': '1',
  ...enable('zlib', 'jpeg', 'tiff', 'freetype', 'lcms', 'webp', 'webpmux', 'jpeg2000'),
  ...disable('raqm', 'imagequant', 'xcb'),
};
const pil = definePackage('pil', {
  version: '9.4.0',
  source: debian('pillow', { patches: true }),
  patches: 'patches/pil',
  deps: [zlib, libjpegTurbo, freetype, libwebp, lcms2, tiff, openjpeg],
  recipe: python({ setupCfg: { build_ext: features }, env: { MAX_CONCURRENCY: place.jobs } }),
});

function enable(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`enable-${name}`, '1']));
}

function disable(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`disable-${name}`, '1']));
}

// The two packages below are no part of pil; they show the other sources, each from its true upstream.
//
// A git repository, at a tag. The lock file keeps the commit that the tag named at the first run.
const lz4 = definePackage('lz4', {
  version: '1.9.4',
  source: git('https://github.com/lz4/lz4', { rev: 'v1.9.4' }),
  recipe: make({
    targets: ['default'],
    variables: { PREFIX: place.prefix, BUILD_STATIC: 'no' },
  }),
});

// An archive. Its SHA-256 can be written here, as it is; without one, the first run puts it into the lock file.
const libtasn1 = definePackage('libtasn1', {
  version: '4.19.0',
  source: tarball('https://ftp.gnu.org/gnu/libtasn1/libtasn1-4.19.0.tar.gz', {
    sha256: '1613f0ac1cf484d6ec0ce3b8c06d56263cc7242f1c23b30d82d23de345a63f7a',
  }),
  recipe: autotools({ configure: ['--disable-doc', '--disable-valgrind-tests'] }),
});

// Whoever sets VENDOR_BUCKET shares finished artifacts through that bucket: `vbuild --push` fills it, and every machine with
// the same lock file fetches from it what it would otherwise compile.
const bucket = process.env['VENDOR_BUCKET'];

export default defineBuild({
  packages: [zlib, libjpegTurbo, libpng, freetype, libwebp, lcms2, tiff, openjpeg, pil, lz4, libtasn1],
  defaults: [pil],
  cache: bucket === undefined ? [] : [s3({ bucket, prefix: 'example' })],
});

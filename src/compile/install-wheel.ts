/** Installs a wheel into the stage: pip itself would choose Debian's `local/lib/…/dist-packages`, and write paths and times into what it compiles. */

/**
 * A Python program; arguments: the folder with the one wheel, the stage, the prefix, the interpreter's name (`python3.11`).
 *
 * Modules go to `lib/PYTHON/site-packages`, scripts to `bin`, headers to `include/PYTHON/NAME`, data to the prefix itself.
 * Scripts name their interpreter without a path. Those made from entry points find the modules by their own place, links
 * followed, so that a running one stays in its generation. RECORD has no digest for what vbuild may still change (ELF files,
 * scripts). `.pyc` files say nothing of time or place: the importer puts the real path in.
 *
 * @see Python packaging specifications, "Binary distribution format", "Recording installed projects", "Entry points"
 */
export const installWheel = `import base64, configparser, csv, glob, hashlib, io, os, py_compile, re, sys, zipfile

wheels, stage, prefix, python = sys.argv[1:]
found = glob.glob(os.path.join(wheels, '*.whl'))
if len(found) != 1:
    sys.exit('error: expected one wheel in %s, found %d' % (wheels, len(found)))
wheel = zipfile.ZipFile(found[0])
top = stage + prefix
site = 'lib/%s/site-packages' % python
name = os.path.basename(found[0]).split('-')[0]
folders = {'purelib': site, 'platlib': site, 'scripts': 'bin', 'headers': 'include/%s/%s' % (python, name), 'data': '.'}
rows = []

def put(path, data, executable):
    path = os.path.normpath(path)
    if os.path.isabs(path) or path.split('/')[0] == '..':
        sys.exit('error: the wheel holds a path that leaves the prefix: %s' % path)
    full = os.path.join(top, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'xb') as file:
        file.write(data)
    os.chmod(full, 0o755 if executable else 0o644)
    verbatim = not executable and not data.startswith(b'\\x7fELF')
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')
    rows.append((os.path.relpath(path, site), 'sha256=' + digest if verbatim else '', len(data) if verbatim else ''))

info = None
for entry in sorted(wheel.infolist(), key=lambda entry: entry.filename):
    path, data = entry.filename, wheel.read(entry)
    if path.endswith('/'):
        continue
    first, _, rest = path.partition('/')
    executable = bool(entry.external_attr >> 16 & 0o100)
    if first.endswith('.dist-info'):
        info = first
        if rest in ('RECORD', 'RECORD.jws', 'RECORD.p7s'):
            continue
    if first.endswith('.data'):
        scheme, _, rest = rest.partition('/')
        if scheme not in folders:
            sys.exit('error: the wheel holds a folder of an unknown sort: %s' % path)
        if scheme == 'scripts':
            executable, data = True, re.sub(rb'\\A#!pythonw?\\b.*', b'#!/usr/bin/env ' + python.encode(), data)
        put(folders[scheme] + '/' + rest, data, executable)
    else:
        put(site + '/' + path, data, executable)
if info is None:
    sys.exit('error: the wheel has no .dist-info folder')

entries = configparser.ConfigParser(delimiters=('=',), interpolation=None)
entries.optionxform = str
if info + '/entry_points.txt' in wheel.namelist():
    entries.read_string(wheel.read(info + '/entry_points.txt').decode())
for section in ('console_scripts', 'gui_scripts'):
    for script, target in sorted(entries[section].items() if section in entries else ()):
        match = re.fullmatch(r'([\\w.]+)\\s*:\\s*([\\w.]+)\\s*(\\[.*\\])?', target.strip())
        if match is None or '/' in script:
            sys.exit('error: entry point %s = %s cannot be understood' % (script, target))
        module, attribute = match[1], match[2]
        text = '\\n'.join((
            '#!/usr/bin/env ' + python,
            'import os, sys',
            'home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))',
            'sys.path[0] = os.path.join(home, %r)' % site,
            'from %s import %s' % (module, attribute.split('.')[0]),
            'sys.exit(%s())' % attribute,
            ''))
        put('bin/' + script, text.encode(), True)

for path, _, _ in list(rows):
    source = os.path.normpath(os.path.join(site, path))
    if path.startswith('../') or not path.endswith('.py'):
        continue
    folder, file = os.path.split(source)
    compiled = '%s/__pycache__/%s.%s.pyc' % (folder, file[:-3], sys.implementation.cache_tag)
    try:
        py_compile.compile(os.path.join(top, source), os.path.join(top, compiled), source, True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    except py_compile.PyCompileError as error:
        print('note: not compiled, as it is not Python of this version:', error.msg.strip())
        continue
    rows.append((os.path.relpath(compiled, site), '', ''))

record = info + '/RECORD'
text = io.StringIO()
csv.writer(text, lineterminator='\\n').writerows(sorted(rows + [(record, '', '')]))
put(site + '/' + record, text.getvalue().encode(), False)
`;

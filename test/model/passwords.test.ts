import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataWithoutPasswords, withoutPasswords, withPasswordsOf } from '../../src/model/passwords.ts';

const rows: readonly (readonly [title: string, text: string, shown: string])[] = [
  ['a password', 'http://jo:s3cret@example.org/x', 'http://jo:…@example.org/x'],
  ['a password without a name', 'https://:s3cret@example.org/x', 'https://:…@example.org/x'],
  ['a password with @ and : in it', 'ssh://jo:s3:cr@t@example.org/x', 'ssh://jo:…@example.org/x'],
  ['several of them', '"http://a:s3cret@b/c" or svn+ssh://a:s3cret@b', '"http://a:…@b/c" or svn+ssh://a:…@b'],
  ['a token in the place of a name', 'https://s3cret@example.org/x', 'https://…@example.org/x'],
  ['the name of a user of ssh', 'ssh://git@example.org/x', 'ssh://git@example.org/x'],
  ['a place as ssh names it', 'git@example.org:me/x', 'git@example.org:me/x'],
  ['an empty password', 'http://jo:@example.org/', 'http://jo:…@example.org/'],
  ['a port, and @ elsewhere', 'http://example.org:80/a@b?c=d@e#f@g', 'http://example.org:80/a@b?c=d@e#f@g'],
  ['a port, and a query with @', 'http://example.org:80?c=d@e', 'http://example.org:80?c=d@e'],
  [
    'a port, and an address in the next word',
    'http://example.org:80 jo@example.org',
    'http://example.org:80 jo@example.org',
  ],
  ['what was shown already', 'http://jo:…@example.org/ https://…@b/', 'http://jo:…@example.org/ https://…@b/'],
  ['no URL', 'a: b@c // d:e@f', 'a: b@c // d:e@f'],
];
for (const [title, text, shown] of rows)
  test(`withoutPasswords() of a text with ${title}`, () => {
    assert.equal(withoutPasswords(text), shown);
  });

test('dataWithoutPasswords() reaches every text of some data, and keeps its shape', () => {
  const data = { url: 'http://a:s3cret@b/', also: [{ from: ['https://s3cret@c/'], strip: 1 }, null, true, undefined] };
  assert.deepEqual(dataWithoutPasswords(data), {
    url: 'http://a:…@b/',
    also: [{ from: ['https://…@c/'], strip: 1 }, null, true, undefined],
  });
});

test('withPasswordsOf() puts passwords back for the same user of the same host, and for nobody else', () => {
  const now = {
    kind: 'tarball',
    from: ['https://jo:s3cret@a.example/x-2.tar', 'https://t0ken@b.example/x', 'http://c/'],
  };
  const then = {
    kind: 'tarball',
    from: [
      'https://jo:…@a.example/x-1.tar',
      'https://…@b.example/y',
      'https://jo:…@b.example/',
      'https://al:…@a.example/',
      'http://c/',
    ],
  };
  assert.deepEqual(withPasswordsOf(then, now).from, [
    'https://jo:s3cret@a.example/x-1.tar',
    'https://t0ken@b.example/y',
    'https://jo:…@b.example/',
    'https://al:…@a.example/',
    'http://c/',
  ]);
  assert.deepEqual(withPasswordsOf(dataWithoutPasswords(now), now), now);
});

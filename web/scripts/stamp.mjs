// Writes static/viewer.source.sha256: which source the committed bundle was built from. The rule is
// in web/README.md, so that a test in another language can compute the same.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('..', import.meta.url));
const single = ['package-lock.json', 'package.json', 'slim.ts', 'tsconfig.json', 'vite.config.ts'];

function under(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? under(path) : [path];
  });
}

export function sourceDigest() {
  const paths = [...single, ...under(join(web, 'src')).map((path) => relative(web, path).split(sep).join(posix.sep))];
  const hash = createHash('sha256');
  for (const path of paths.sort()) {
    const content = readFileSync(join(web, path));
    hash.update(`${path}\0${content.length}\0`);
    hash.update(content);
  }
  return hash.digest('hex');
}

const target = new URL('../../zoom_imaging/review/web/static/viewer.source.sha256', import.meta.url);
if (process.argv.includes('--check')) {
  const kept = readFileSync(target, 'utf8').trim();
  if (kept !== sourceDigest()) {
    console.error('viewer.js was built from another source: run npm run build');
    process.exit(1);
  }
} else {
  writeFileSync(target, `${sourceDigest()}\n`);
}

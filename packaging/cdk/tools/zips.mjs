// Puts the function's packages beside the library, where `make package` or `make release` has built them.

import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = join(dirname(fileURLToPath(import.meta.url)), '..');
const ROOT = join(HERE, '../..');
const { version } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'));

for (const architecture of ['x86_64', 'arm64']) {
  const name = `landfall-${architecture}.zip`;
  const built = [join(ROOT, 'dist', `landfall-${version}-${architecture}.zip`), join(ROOT, 'target/package', name)];
  const found = built.find(existsSync);
  if (found) {
    mkdirSync(join(HERE, 'function'), { recursive: true });
    copyFileSync(found, join(HERE, 'function', name));
  }
  console.error(found ? `${name}: ${found}` : `${name} is left out: make package builds it`);
}

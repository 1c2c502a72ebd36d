import { readFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { slim } from './slim.ts';

// One script and one style sheet with fixed names, into the folder that the server serves. Others
// keep files there too, so it is never emptied.
export default defineConfig({
  publicDir: false,
  plugins: [slim(), licences()],
  build: {
    outDir: '../zoom_imaging/review/web/static',
    emptyOutDir: false,
    sourcemap: false,
    target: 'es2022',
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: true,
    chunkSizeWarningLimit: 2500,
    rollupOptions: {
      input: 'src/main.ts',
      output: {
        codeSplitting: false,
        entryFileNames: 'viewer.js',
        assetFileNames: 'viewer[extname]',
      },
    },
  },
});

/** Name, version and licence text of every package whose code is in the bundle. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const [id, part] of Object.entries(chunk.modules)) {
          const folder = part.renderedLength > 0 ? /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] : undefined;
          if (folder) folders.add(folder);
        }
      }
      const texts = [...folders].sort().map((folder) => licenceOf(folder));
      const head = 'viewer.js contains code of these packages, each under its own licence.\n';
      this.emitFile({ type: 'asset', fileName: 'viewer.licenses.txt', source: [head, ...texts].join('\n') });
    },
  };
}

function licenceOf(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.|-|$)/i.test(name));
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '';
  const licence = typeof about['license'] === 'string' ? about['license'] : 'see the text';
  const rule = '='.repeat(78);
  return `${rule}\n${String(about['name'])} ${String(about['version'])} - ${licence}\n${rule}\n${text.trim()}\n`;
}


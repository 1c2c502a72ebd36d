import { defineConfig } from 'vite';
import { slim } from './slim.ts';
export default defineConfig({
  publicDir: false,
  plugins: [slim(), { name: 'sizes', generateBundle(_o: any, b: any) { for (const c of Object.values(b) as any[]) { if (c.type!=='chunk') continue; const by: any = {}; const all: any[]=[]; for (const [id, m] of Object.entries(c.modules) as any[]) { const k = id.replace(/.*node_modules\//,'').split('/').slice(0,2).join('/'); by[k]=(by[k]||0)+m.renderedLength; all.push([m.renderedLength,id.replace(/.*node_modules\//,'')]) } console.log(Object.entries(by).sort((a:any,b:any)=>b[1]-a[1]).slice(0,30)); console.log(all.sort((a,b)=>b[0]-a[0]).slice(0,110).map(x=>x.join(' ')).join('\n')); } } }],
  build: { outDir: '/work/scratch/viewer/spike', emptyOutDir: true, sourcemap: false, lib: undefined, minify: true,
   rollupOptions: { input: 'src/spike.ts', output: { entryFileNames: 'viewer.js', chunkFileNames: 'chunk-[name].js', assetFileNames: '[name][extname]' } } },
});

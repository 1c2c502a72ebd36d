// Cornerstone can show volumes, meshes, video, ECG and slides, and vtk.js can draw with WebGPU. The
// reading room shows stacks of one radiograph. What it never calls is cut off here, module by
// module: each becomes a module of the same exports without content. Keep the list short and plain;
// `npm run test:page` shows at once when something that is needed was cut.
import { fileURLToPath } from 'node:url';
import { parseSync } from 'rolldown/utils';
import type { Plugin } from 'vite';

const CUT: readonly RegExp[] = [
  /@cornerstonejs\/core\/dist\/esm\/RenderingEngine\/(Volume|Video|WSI|ECG|BaseVolume)Viewport(3D)?\.js$/,
  /@cornerstonejs\/core\/dist\/esm\/RenderingEngine\/GenericViewport\/(ECG|Planar|Video|Volume3D|WSI)\/.*[vV]iewport(3D|LegacyAdapter)?(LegacyAdapter)?\.js$/,
  /@cornerstonejs\/core\/dist\/esm\/RenderingEngine\/helpers\/stats\//,
  /@cornerstonejs\/core\/dist\/esm\/constants\/(cpuColormaps|viewportPresets)\.js$/,
  /@kitware\/vtk\.js\/Rendering\/WebGPU\//,
  /@kitware\/vtk\.js\/IO\//,
  /@kitware\/vtk\.js\/Rendering\/Core\/(ScalarBarActor|CubeAxesActor)\.js$/,
  /@kitware\/vtk\.js\/Rendering\/Core\/ColorTransferFunction\/ColorMaps(\.json)?\.js$/,
  /@kitware\/vtk\.js\/Rendering\/OpenGL\/(ImageCPRMapper|Glyph3DMapper|SphereMapper|StickMapper|CutterMapper|PolyDataMapper2D|Skybox)\.js$/,
  /node_modules\/@cornerstonejs\/calculate-suv\//,
];

export function slim(): Plugin {
  return {
    name: 'slim',
    enforce: 'pre',
    config: () => ({ resolve: { alias: { dcmjs: fileURLToPath(new URL('src/dcmjs.ts', import.meta.url)) } } }),
    transform: {
      order: 'pre',
      handler(code, id) {
        if (!CUT.some((pattern) => pattern.test(id))) return null;
        return { code: hollow(id, code), map: null, moduleSideEffects: false };
      },
    },
  };
}

/** A module of the same exports; each is an empty class, so that `extends` still works. */
function hollow(id: string, code: string): string {
  const names = new Set<string>();
  for (const entry of parseSync(id, code).module.staticExports) {
    for (const item of entry.entries) {
      names.add(item.exportName.kind === 'Default' ? 'default' : (item.exportName.name ?? ''));
    }
  }
  names.delete('');
  return [...names]
    .map((name) => (name === 'default' ? 'export default class {}' : `export class ${name} {}`))
    .join('\n');
}
